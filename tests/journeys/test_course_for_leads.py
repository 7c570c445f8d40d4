"""Four people sign up and are leads who are not ready to buy. Ana reads what she gets: eight messages in
two months. Boris clicks in nothing: after two messages they come half as often, after four they stop. Chen
leaves a cart on the day of a message: the cart goes first, the course waits until the next day; then she
orders, and it ends. Dana is ready for sales: her course stops and Olga gets her; Olga gives her back, and
the course goes on where it stood.
"""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from campaigns.models import Decision
from crm.models import Lead, LeadDefinition, Stage, Task
from tests.journeys.shopfloor import (
    DAY,
    HOUR,
    MINUTE,
    World,
    comes_by,
    endings,
    looks,
    opened,
    person,
    skips,
)

MORNING = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
COURSE = [
    "As promised, and what comes next",
    "How to choose, in three questions",
    "What others took, and kept",
    "{}, I would look at these",
    "10 % off for your first order",
    "New, and worth a look",
    "Something to read, nothing to decide",
    "That was the course",
]
AMP = {"product_id": "amp", "name": "Amp", "price": "399.00"}


@pytest.fixture
def world(transactional_db):
    with opened(MORNING) as world:
        yield world


def test_the_story(world: World):
    olga = User.objects.create_user("olga", "olga@office.example", is_staff=True)
    offer = world.mia.makes_offer("First order", rung="1")
    world.mia.launches("nurture", offer)
    world.mia.launches("abandoned_cart", offer)
    LeadDefinition.objects.update(owner_by_default=olga)
    world.later(90 * MINUTE)
    ana, _boris, chen, _dana = (world.knows(name) for name in ("ana", "boris", "chen", "dana"))
    looks(ana, "amp", "fjord-40")
    world.later(MINUTE)
    world.later(MINUTE)
    begun = world.hand.at
    for name in ("ana", "boris", "chen", "dana"):
        assert world.subjects(name) == COURSE[:1]

    def on_day(day: float) -> None:
        """The day comes, and Ana reads what it brought."""
        world.later(begun + day * DAY + MINUTE - world.hand.at)
        if world.hand.at.date() in {begun.date(), (begun + day * DAY).date()} and world.mail_to("ana"):
            comes_by(ana, world.mail_to("ana")[-1])
            world.later(MINUTE)

    chen.cart("till-c", AMP)
    world.later(8 * MINUTE)
    assert world.subjects("chen")[1:] == ["Still in your cart: Amp"]
    world.later(2 * DAY - 20 * MINUTE)
    chen.cart("till-c", AMP)
    on_day(2)
    for name in ("ana", "boris", "dana"):
        assert world.subjects(name) == COURSE[:2]
    assert world.subjects("chen")[2:] == ["Is anything unclear about your cart?"], "the cart goes first"
    assert "Abandoned cart" in " ".join(skips("chen"))
    on_day(3)
    assert COURSE[1] in world.subjects("chen"), "and the course waits until the next day"
    world.orders("chen", "c-1", "amp")
    on_day(5)
    assert "purchased" in endings("chen") and not set(COURSE[2:]) & set(world.subjects("chen"))

    _moves(world, "dana", Stage.Meaning.SALES_READY)
    on_day(8)
    assert world.subjects("ana") == COURSE[:3] and world.subjects("boris") == COURSE[:3]
    assert world.subjects("dana") == COURSE[:2] and endings("dana") == ["exit_rule"]
    assert any("sales-ready" in one.raw.decode() for one in world.sink.arrivals if one.to == olga.email)
    on_day(9)
    assert world.subjects("ana")[3:] == [COURSE[3].format("Ana")] and len(world.mail_to("boris")) == 3
    on_day(12)
    answer = {"do": "refuse", "reason": "only looking"}
    world.mia.presses(
        "crm_task_answer", Task.objects.get(kind=Task.Kind.HAND_OVER, done_at=None).pk, **answer
    )
    world.later(MINUTE)
    entered = Decision.objects.filter(contact=person("dana"), verdict="entered").latest("decided_at")
    assert entered.evidence["by"] == "mia" and entered.evidence["goes_on_at"]
    for day in (14, 16, 20):
        on_day(day)
    assert world.subjects("boris") == [*COURSE[:3], COURSE[3].format("Boris")], "half the pace"
    again = [COURSE[2], COURSE[3].format("Dana")]
    assert world.subjects("dana")[2:] == again, (
        "on where she stood, at the usual pace, as if nothing was ignored"
    )
    for day in (26, 28, 35, 42, 49, 56, 63):
        on_day(day)
    assert len(world.mail_to("boris")) == 4 and endings("boris") == ["ignored four in a row"]
    assert world.subjects("ana") == [words.format("Ana") for words in COURSE], "eight in sixty days"


def _moves(world: World, name: str, meaning: str) -> None:
    """Mia moves the lead on the board."""
    lead = Lead.objects.get(contact=person(name))
    stage = lead.definition.stages.get(meaning=meaning)
    world.mia.presses("crm_lead_move", lead.pk, stage=str(stage.pk))
    world.later(HOUR)
