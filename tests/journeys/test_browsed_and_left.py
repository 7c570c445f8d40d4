"""Ana looks at two things and leaves: an hour later she gets one message with just these, and as she
clicks, a question two days later. Boris filled a cart, Chen bought by telephone last week, Dana came back
first and did not click, and nobody knows who Eva is.
"""

from collections.abc import Iterator

import pytest

from crm.kernel import timeline
from tests.journeys.doors import Browser
from tests.journeys.shopfloor import (
    DAY,
    HOUR,
    MINUTE,
    World,
    comes_by,
    looks,
    opened,
    person,
    skips,
    text_of,
)

SEEN, QUESTION = "Did you find what you were looking for?", "Shall I answer a question first?"


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        world.mia.launches("browsed_and_left")
        yield world


def test_the_story(world: World):
    ana, boris, chen, dana = (world.knows(name) for name in ("ana", "boris", "chen", "dana"))
    eva = Browser(world.collector)
    eva.tell("identify", email="eva@example.com")
    world.later(MINUTE)
    world.orders("chen", "1", channel="phone")
    for browser in (ana, boris, chen, dana, eva):
        looks(browser, "amp", "fjord-40", "cable-3")
    boris.cart("till-b", {"product_id": "amp", "name": "Amp", "price": "399.00"})
    world.later(MINUTE)
    world.offers("cable-3", stock=0)
    world.later(58 * MINUTE)
    looks(dana, "amp")
    assert world.mailed("ana", "boris", "chen", "dana", "eva") == [0, 0, 0, 0, 0], "not an hour yet"

    world.later(2 * MINUTE)
    assert world.mailed("ana", "boris", "chen", "dana", "eva") == [1, 0, 0, 0, 0]
    [message] = world.mail_to("ana")
    assert message["Subject"] == SEEN and "Hello Ana" in text_of(message)
    assert "Amp" in text_of(message) and "Fjord 40 speakers" in text_of(message)
    assert "Cable" not in text_of(message), "sold out by now"

    world.later(HOUR)
    assert world.mailed("dana") == [1], "she has been away as long by now"
    comes_by(ana, message)
    world.later(2 * DAY)
    world.later(HOUR)
    assert world.subjects("ana") == [SEEN, QUESTION] and world.subjects("dana") == [SEEN]
    looks(dana, "amp", "fjord-40")
    world.later(2 * HOUR)
    world.later(DAY)
    assert world.mailed("ana", "boris", "chen", "dana", "eva") == [2, 0, 0, 1, 0], "once in ten days"
    told = [entry.kind for entry in timeline.read(person("ana").pk).entries]
    assert {"flow", "message"} <= set(told)


def test_a_cart_that_is_filled_after_the_message_was_put_on_its_way_keeps_it_in(world: World):
    ana = world.knows("ana")
    looks(ana, "amp", "fjord-40")
    world.later(MINUTE)
    world.later(HOUR, ("tracking.ingest", "campaigns.trigger", "campaigns.advance"))
    ana.cart("till-a", {"product_id": "amp", "name": "Amp", "price": "399.00"})
    world.later(MINUTE)
    world.later(2 * HOUR)
    assert world.mailed("ana") == [0]
    assert skips("ana") == ["They have put something into a cart since"]
