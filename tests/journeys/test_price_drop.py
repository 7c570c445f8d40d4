"""Ana looked at the amplifier at €399, Boris saved it, Chen only looked after it had become cheaper. When it
costs €349, Ana and Boris are told, with both prices.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from campaigns.models import OrderCredit
from tests.journeys.shopfloor import DAY, HOUR, MINUTE, World, comes_by, looks, opened, skips, text_of


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        world.mia.launches("price_drop")
        yield world


def test_the_story(world: World):
    ana, boris, chen = (world.knows(name) for name in ("ana", "boris", "chen"))
    looks(ana, "amp")
    boris.tell("favourite", product_id="amp", name="Amp")
    world.later(DAY)
    world.offers("amp", price="379.00")
    world.later(HOUR)
    assert world.mailed("ana", "boris", "chen") == [0, 0, 0], "five percent is not worth a message"
    looks(chen, "amp")
    world.later(DAY)

    world.offers("amp", price="349.00")
    world.later(MINUTE)
    assert world.mailed("ana", "boris", "chen") == [1, 1, 0], "for Chen it is eight percent"
    [message] = world.mail_to("ana")
    assert message["Subject"] == "Costs less now: Amp"
    assert "€349.00 instead of €399.00" in " ".join(text_of(message).split())

    comes_by(ana, message)
    world.later(10 * MINUTE)
    world.orders("ana", "1", "amp", price="349.00")
    world.later(MINUTE)
    assert OrderCredit.objects.get().amount == Decimal("349.00")
    world.days(3)
    assert world.mailed("ana", "boris", "chen") == [1, 1, 0]


def test_dearer_again_in_the_last_moment_nothing_leaves(world: World):
    looks(world.knows("ana"), "amp")
    world.later(DAY)
    world.offers("amp", price="299.00")
    world.later(MINUTE, ("tracking.ingest", "campaigns.trigger", "campaigns.advance"))
    world.offers("amp", price="399.00")
    world.later(MINUTE)
    assert world.mailed("ana") == [0]
    assert "rose again" in skips("ana")[0]
