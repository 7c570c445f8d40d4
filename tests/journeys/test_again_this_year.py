"""A year after a gift Ana is reminded in time for the next one. Coffee runs out, and two people who always
buy the same hear of it five days before; Boris has found another sort, and is left in peace.
"""

import pytest

from campaigns.models import Decision, Enrolment
from tests.journeys.doors import SHOP
from tests.journeys.shopfloor import DAY, MINUTE, World, comes_by, opened, text_of

SOLD = {"coffee": "Coffee", "espresso": "Coffee", "pearls": "Gifts", "cup": "Cups"}
SOON, LATER = "Running low on Coffee?", "Is there still some left?"
YEAR_AGO = "About this time last year"


@pytest.fixture
def world(transactional_db):
    with opened() as world:
        for name, category in SOLD.items():
            page = f"{SHOP}/p/{name}"
            world.shop.product(
                id=name, name=name.title(), category=category, price="20", in_stock=True, url=page
            )
        yield world


def test_last_years_gift(world: World):
    world.mia.launches("anniversary", **{"trigger--campaigns-anniversary-category": "Gifts"})
    start = world.hand.at
    world.knows("ana"), world.knows("boris")
    world.later(MINUTE)
    world.orders("ana", "a-1", "pearls")
    world.orders("boris", "b-1", "cup")
    world.later(350 * DAY)
    assert not world.sink.arrivals
    world.later(DAY)
    assert world.subjects("ana") == [YEAR_AGO] and not world.subjects("boris")
    assert "Pearls" in text_of(world.mail_to("ana")[0])
    run = Enrolment.objects.get()
    assert run.subject_kind == "order" and run.qualified_at.date() == (start + 351 * DAY).date()
    world.orders("ana", "a-2", "pearls")
    for _ in range(3):
        world.later(5 * DAY)
    assert len(world.sink.arrivals) == 1, "once a year"
    world.later(336 * DAY)
    assert len(world.mail_to("ana")) == 2, "two years on, for the first of her two orders"


def test_the_coffee_runs_out(world: World):
    world.mia.launches("replenishment")
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
    assert [world.subjects(name) for name in browsers] == [[SOON], [], [SOON]]
    assert "Coffee" in text_of(world.mail_to("ana")[0])
    why = Decision.objects.get(contact__email="ana@example.com", verdict="entered").evidence
    assert (why["product"], why["usual_gap_days"]) == ("Coffee", 30.0)

    comes_by(browsers["ana"], world.mail_to("ana")[0])
    world.orders("ana", "ana-4", "coffee")
    world.later(12 * DAY)
    assert world.subjects("chen")[1:] == [LATER] and world.mailed("ana") == [1]
    world.later(13 * DAY)
    assert world.subjects("ana")[1:] == [SOON], "five days before the thirty are over she hears of the next"
