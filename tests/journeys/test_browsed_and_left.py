"""Ana looks at two things and leaves: an hour later she gets one message with just these. Boris filled a
cart, Chen bought by telephone last week, Dana came back, and nobody knows who Eva is: none of them gets one.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from campaigns.models import Decision, OrderCredit
from crm.kernel import timeline
from crm.models import Contact
from tests.journeys.doors import Browser
from tests.journeys.shopfloor import DAY, HOUR, MINUTE, World, comes_by, opened, play, text_of

SEEN = (
    "You were looking at",
    "Hello {{ contact.first_name | default: 'there' }}\n"
    "{% for product in viewed.products %}{{ product.name }} {{ product.url }}\n{% endfor %}",
)


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        play("browsed", {"hours": "1", "products": "2", "without_order_days": "14"}, SEEN, reentry_days=7)
        yield world


def looks(browser: Browser, *keys: str) -> None:
    for key in keys:
        browser.tell("product", product_id=key, name=key)


def test_the_story(world: World):
    ana, boris, chen, dana = (world.knows(name) for name in ("ana", "boris", "chen", "dana"))
    eva = Browser(world.collector)
    eva.tell("identify", email="eva@example.com")
    world.later(MINUTE)
    world.shop.order(id="1", email="chen@example.com", total="19.50", currency="EUR", channel="phone")
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
    text = text_of(message)
    assert message["Subject"] == "You were looking at" and "Hello Ana" in text
    assert "Amp" in text and "Fjord 40 speakers" in text
    assert "Cable" not in text, "sold out by now"

    world.later(HOUR)
    assert world.mailed("dana") == [1], "she has been away as long by now"
    comes_by(ana, message)
    looks(ana, "fjord-40", "amp")
    world.later(10 * MINUTE)
    world.shop.order(id="2", email="ana@example.com", total="249.00", currency="EUR")
    world.later(MINUTE)
    assert OrderCredit.objects.get().amount == Decimal("249.00")

    world.later(2 * DAY)
    looks(dana, "amp", "fjord-40")
    world.later(2 * HOUR)
    world.later(DAY)
    assert world.mailed("ana", "boris", "chen", "dana", "eva") == [1, 0, 0, 1, 0], "one in a week"
    told = [entry.kind for entry in timeline.read(Contact.objects.get(email="ana@example.com").pk).entries]
    assert {"flow", "message", "order"} <= set(told)


@pytest.mark.proof
def test_a_cart_that_is_filled_after_the_message_was_put_on_its_way_keeps_it_in(world: World):
    ana = world.knows("ana")
    looks(ana, "amp", "fjord-40")
    world.later(MINUTE)
    world.later(HOUR, ("tracking.ingest", "campaigns.trigger", "campaigns.advance"))
    ana.cart("till-a", {"product_id": "amp", "name": "Amp", "price": "399.00"})
    world.later(MINUTE)
    world.later(2 * HOUR)
    assert world.mailed("ana") == [0]
    skipped = Decision.objects.get(verdict=Decision.Verdict.SKIPPED)
    assert skipped.words == "They have put something into a cart since"
