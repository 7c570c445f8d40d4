"""A year after a gift Ana is reminded in time for the next one. Coffee runs out, and two people who always
buy the same hear of it five days before; Boris has found another sort, and is left in peace.
"""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.models import Decision, Enrolment
from tests.journeys.doors import SHOP
from tests.journeys.shopfloor import text_of
from tests.journeys.stories import World, launched, opened, send, wait

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SOLD = {"coffee": "Coffee", "espresso": "Coffee", "pearls": "Gifts", "cup": "Cups"}


@pytest.fixture
def world(transactional_db):
    with opened(MORNING) as world:
        for name, category in SOLD.items():
            page = f"{SHOP}/p/{name}"
            world.shop.product(
                id=name, name=name.title(), category=category, price="20", in_stock=True, url=page
            )
        yield world


def test_last_years_gift(world: World):
    launched(
        "Again this year?",
        MORNING,
        {"campaigns.anniversary": {"days_before": "14", "category": "Gifts"}},
        send(
            "A year ago you chose a gift",
            "Its day is near: {% for line in order.lines %}{{ line.name }}{% endfor %}.",
        ),
    )
    world.knows("ana"), world.knows("boris")
    world.later(MINUTE)
    world.orders("ana", "a-1", "pearls")
    world.orders("boris", "b-1", "cup")
    world.later(350 * DAY)
    assert not world.sink.arrivals
    world.later(DAY)
    assert world.subjects("ana") == ["A year ago you chose a gift"] and not world.subjects("boris")
    assert "Pearls" in text_of(world.mail_to("ana")[0])
    run = Enrolment.objects.get()
    assert run.subject_kind == "order" and str(run.qualified_at.date()) == "2027-02-16"
    world.orders("ana", "a-2", "pearls")
    for _ in range(3):
        world.later(5 * DAY)
    assert len(world.sink.arrivals) == 1, "once a year"
    world.later(336 * DAY)
    assert len(world.mail_to("ana")) == 2, "two years on, for the first of her two orders"


def test_the_coffee_runs_out(world: World):
    launched(
        "Time for more",
        MORNING,
        {"campaigns.replenishment": {"days_before": "5"}},
        send("Nearly used up?", "{{ product.name }}, here: {{ product.url }}"),
        wait(7),
        send("Still enough left?", "We have it here."),
    )
    browsers = {name: world.knows(name) for name in ("ana", "boris", "chen")}
    world.later(MINUTE)
    for month in range(3):
        for name in browsers:
            world.orders(name, f"{name}-{month}", "coffee")
        world.later(30 * DAY if month < 2 else 20 * DAY)
    world.orders("boris", "boris-9", "espresso")
    world.later(4 * DAY)
    assert not world.sink.arrivals
    world.later(DAY)
    assert [world.subjects(name) for name in browsers] == [["Nearly used up?"], [], ["Nearly used up?"]]
    assert "Coffee, here:" in text_of(world.mail_to("ana")[0])
    why = Decision.objects.get(contact__email="ana@example.com", verdict="entered").evidence
    assert (why["product"], why["usual_gap_days"]) == ("Coffee", 30.0)

    world.comes_by(browsers["ana"], world.mail_to("ana")[0])
    world.orders("ana", "ana-4", "coffee")
    world.later(7 * DAY)
    assert world.subjects("chen")[1:] == ["Still enough left?"] and len(world.mail_to("ana")) == 1
    world.later(18 * DAY)
    assert len(world.mail_to("ana")) == 2, "thirty days after the last one she hears of the next"
