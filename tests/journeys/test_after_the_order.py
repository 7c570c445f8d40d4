"""Ana orders: after four days she is asked whether all has arrived, after two weeks how she likes it, after
a month she is shown what goes with it. Boris sends his order back in between and hears no more of it; Chen
orders again, and it begins anew with that order; who orders often is not asked each time how they like it.
"""

from collections.abc import Iterator

import pytest

from tests.journeys.shopfloor import DAY, MINUTE, World, endings, opened, text_of

ARRIVED, REVIEW, GOES_WITH = "Has everything arrived?", "How do you like it?", "Goes well with what you have"


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        world.mia.launches("post_purchase")
        world.later(MINUTE)
        yield world


def test_the_story(world: World):
    people = ("ana", "boris", "chen")
    for number, name in enumerate(people):
        world.knows(name)
        world.orders(name, f"R-{number}", "amp", price="399.00")
    world.later(MINUTE)
    assert world.mailed(*people) == [0, 0, 0]
    world.later(4 * DAY)
    assert [world.subjects(name) for name in people] == [[ARRIVED]] * 3
    assert "R-0" in text_of(world.mail_to("ana")[0]) and "Amp" in text_of(world.mail_to("ana")[0])

    world.orders("boris", "R-1", "amp", price="399.00", status="refunded", refunded="399.00")
    world.orders("chen", "R-9", "cable-3")
    world.later(MINUTE)
    for days in (4, 6, 4, 6, 6):
        world.later(days * DAY)
    assert world.subjects("ana") == [ARRIVED, REVIEW, GOES_WITH]
    assert world.subjects("boris") == [ARRIVED] and endings("boris") == ["order_refunded"]
    assert world.subjects("chen") == [ARRIVED, ARRIVED] and endings("chen") == ["purchased"]
    assert "Cable, 3 m" in text_of(world.mail_to("chen")[1])


def test_an_order_told_twice_and_late_is_asked_about_once(world: World):
    world.knows("ana")
    world.later(MINUTE)
    for _ in range(2):
        world.orders("ana", "7", "amp", placed_at=world.hand.at.isoformat())
        world.later(MINUTE)
    world.orders("ana", "6", "amp", placed_at=(world.hand.at - 20 * DAY).isoformat())
    world.later(4 * DAY)
    world.later(MINUTE)
    assert world.mailed("ana") == [1], "an order of three weeks ago is not asked about today"
