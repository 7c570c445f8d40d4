"""Ana and Dana bought every month and fell silent. The day they are at risk they hear what is new, a week
later they get a code of their own. Ana buys with it. Dana does not, is lost, and is asked whether she stays.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from campaigns.models import Coupon, Decision, Enrolment, Offer
from crm.models import Standing
from tests.journeys.stories import World, launched, opened, send, wait

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WON_BACK = ["News for you", "Ten percent, for seven days"]


@pytest.fixture
def world(transactional_db):
    with opened(MORNING) as world:
        yield world


def offer(now: datetime) -> Offer:
    made = Offer.objects.create(
        name="Come back",
        kind=Offer.Kind.PERCENT,
        value=Decimal(10),
        may_beat_site=True,
        follows_ladder=False,
        created_at=now,
    )
    Coupon.objects.bulk_create(Coupon(offer=made, code=f"BACK-{n}", created_at=now) for n in range(5))
    return made


def test_the_story(world: World):
    ana = world.knows("ana")
    world.knows("dana")
    world.later(MINUTE)
    for month in range(4):
        for name in ("ana", "dana"):
            world.orders(name, f"{name}-{month}", "lamp")
        if month < 3:
            world.later(30 * DAY)
    world.later(MINUTE)
    launched(
        "Win back",
        world.hand.at,
        {"campaigns.standing_moves": {"to": "at_risk"}},
        send(WON_BACK[0]),
        wait(7),
        send(WON_BACK[1], offer=offer(world.hand.at)),
        reentry_days=60,
    )
    launched(
        "May we stay?",
        world.hand.at,
        {"campaigns.standing_moves": {"to": "lost"}},
        send("Do you want to hear from us?"),
    )
    assert _standing("ana").state == "active"
    _until(world, "ana", "cooling")
    assert not world.sink.arrivals, "cooling is not yet at risk"

    _until(world, "ana", "at_risk")
    assert world.subjects("ana") == world.subjects("dana") == WON_BACK[:1]
    entered = Decision.objects.filter(verdict="entered").first()
    assert entered.evidence["since"] == _standing(entered.contact.first_name.lower()).since.isoformat()
    world.later(7 * DAY)
    assert world.subjects("ana") == WON_BACK
    letter = world.mail_to("ana")[1]
    code = Coupon.objects.get(contact_id=_standing("ana").contact_id).code
    assert code in letter.get_body(("plain",)).get_content()
    assert code not in world.mail_to("dana")[1].get_body(("plain",)).get_content(), "a code of her own"

    world.comes_by(ana, letter)
    world.orders("ana", "ana-9", "lamp", coupon=code)
    world.later(10 * MINUTE)
    assert Coupon.objects.get(code=code).state == Coupon.State.USED
    assert _standing("ana").state == "active"

    _until(world, "dana", "lost")
    assert world.subjects("dana")[2:] == ["Do you want to hear from us?"]
    assert len(world.mail_to("ana")) == 2
    assert Enrolment.objects.count() == 3


def _standing(name: str) -> Standing:
    return Standing.objects.get(contact__email=f"{name}@example.com")


def _until(world: World, name: str, state: str) -> None:
    """Time passes until the person stands there; the shop's rhythm is measured anew on the way."""
    for _ in range(5):
        due = getattr(_standing(name), f"{state}_at")
        world.later(max(due - world.hand.at, MINUTE))
        if _standing(name).state == state:
            return
    raise AssertionError(f"{name} is not {state}.")
