"""Ana looked at the amplifier at €399, Boris saved it, Chen only looked after it had become cheaper. When it
costs €349, Ana and Boris are told, with both prices.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from campaigns.models import Decision, OrderCredit
from tests.journeys.shopfloor import DAY, HOUR, MINUTE, World, comes_by, opened, play, text_of

CHEAPER = (
    "{{ product.name }} costs {{ product.percent | default: 0 }} % less",
    "{% if product.price %}{{ product.price | money: product.currency }}{% endif %}"
    "{% if product.was %} instead of {{ product.was | money: product.currency }}{% endif %}"
    " {{ product.url }}",
)
AMP = {"product_id": "amp", "name": "Amp"}


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        play("price_drop", {"percent": "10", "look_back_days": "30"}, CHEAPER, reentry_days=7)
        yield world


def test_the_story(world: World):
    ana, boris, chen = (world.knows(name) for name in ("ana", "boris", "chen"))
    ana.tell("product", **AMP)
    boris.tell("favourite", **AMP)
    world.later(DAY)
    world.offers("amp", price="379.00")
    world.later(HOUR)
    assert world.mailed("ana", "boris", "chen") == [0, 0, 0], "five percent is not worth a message"
    chen.tell("product", **AMP)
    world.later(DAY)

    world.offers("amp", price="349.00")
    world.later(MINUTE)
    assert world.mailed("ana", "boris", "chen") == [1, 1, 0], "for Chen it is eight percent"
    [message] = world.mail_to("ana")
    assert message["Subject"] == "Amp costs 12 % less"
    assert "€349.00 instead of €399.00" in text_of(message)

    comes_by(ana, message)
    world.later(10 * MINUTE)
    world.shop.order(id="1", email="ana@example.com", total="349.00", currency="EUR")
    world.later(MINUTE)
    assert OrderCredit.objects.get().amount == Decimal("349.00")
    world.days(3)
    assert world.mailed("ana", "boris", "chen") == [1, 1, 0]


@pytest.mark.proof
def test_dearer_again_in_the_last_moment_nothing_leaves(world: World):
    ana = world.knows("ana")
    ana.tell("product", **AMP)
    world.later(DAY)
    world.offers("amp", price="299.00")
    world.later(MINUTE, ("tracking.ingest", "campaigns.trigger", "campaigns.advance"))
    world.offers("amp", price="399.00")
    world.later(MINUTE)
    assert world.mailed("ana") == [0]
    assert "rose again" in Decision.objects.get(verdict=Decision.Verdict.SKIPPED).words
