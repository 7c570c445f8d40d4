"""The speakers are sold out. Ana looked at them before, Boris saved them while they were gone, Chen has no
interest in them, Dana bought hers elsewhere in the shop. When they are back, Ana and Boris hear of it, once.
"""

from collections.abc import Iterator

import pytest

from tests.journeys.shopfloor import DAY, HOUR, MINUTE, World, comes_by, looks, opened, skips, text_of

KEY = {"product_id": "fjord-40", "name": "Fjord 40 speakers"}


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        world.mia.launches("back_in_stock")
        yield world


def test_the_story(world: World):
    ana, boris, chen, dana = (world.knows(name) for name in ("ana", "boris", "chen", "dana"))
    looks(ana, "fjord-40")
    looks(dana, "fjord-40")
    world.later(DAY)
    world.offers("fjord-40", stock=0)
    world.later(DAY)
    boris.tell("favourite", **KEY)
    looks(chen, "amp")
    world.orders("dana", "1", "fjord-40", channel="store")
    world.later(9 * DAY)
    assert world.mailed("ana", "boris", "chen", "dana") == [0, 0, 0, 0]

    world.offers("fjord-40", stock=4, price="239.00")
    world.later(MINUTE)
    assert world.mailed("ana", "boris", "chen", "dana") == [1, 1, 0, 0]
    [message] = world.mail_to("ana")
    assert message["Subject"] == "Back in stock: Fjord 40 speakers" and "€239.00" in text_of(message)

    comes_by(ana, message)
    world.later(2 * DAY)
    world.offers("fjord-40", stock=3)
    world.later(2 * DAY)
    assert world.mailed("ana", "boris") == [1, 1], "still there is not back again"

    world.offers("fjord-40", stock=0)
    world.later(DAY)
    world.offers("fjord-40", stock=9)
    world.later(MINUTE)
    assert world.mailed("ana", "boris") == [2, 2], "each return once"


def test_sold_out_again_in_the_last_moment_nothing_leaves_and_the_reason_is_kept(world: World):
    looks(world.knows("ana"), "fjord-40")
    world.later(HOUR)
    world.offers("fjord-40", stock=0)
    world.later(DAY)
    world.offers("fjord-40", stock=1)
    world.later(MINUTE, ("tracking.ingest", "campaigns.trigger", "campaigns.advance"))
    world.offers("fjord-40", stock=0)
    world.later(MINUTE)
    assert world.mailed("ana") == [0]
    assert skips("ana") == ["The product it is about is sold out"]
