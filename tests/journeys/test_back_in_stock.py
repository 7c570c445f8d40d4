"""The speakers are sold out. Ana looked at them before, Boris saved them while they were gone, Chen has no
interest in them, Dana bought hers elsewhere in the shop. When they are back, Ana and Boris hear of it, once.
"""

from collections.abc import Iterator

import pytest

from campaigns.models import Decision
from crm.models import Contact
from tests.journeys.shopfloor import DAY, HOUR, MINUTE, World, comes_by, opened, play, text_of

BACK = (
    "{{ product.name }} is back",
    "{{ product.url }}{% if product.price %} for {{ product.price | money: product.currency }}{% endif %}",
)
KEY = {"product_id": "fjord-40", "name": "Fjord 40 speakers"}


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        play("back_in_stock", {"look_back_days": "60"}, BACK, reentry_days=1)
        yield world


def test_the_story(world: World):
    ana, boris, chen, dana = (world.knows(name) for name in ("ana", "boris", "chen", "dana"))
    ana.tell("product", **KEY)
    dana.tell("product", **KEY)
    world.later(DAY)
    world.offers("fjord-40", stock=0)
    world.later(DAY)
    boris.tell("favourite", **KEY)
    chen.tell("product", product_id="amp", name="Amp")
    line = {"product_id": "fjord-40", "name": "Fjord 40 speakers", "unit_price": "249.00"}
    world.shop.order(
        id="1", email="dana@example.com", total="249.00", currency="EUR", lines=[line], channel="store"
    )
    world.later(9 * DAY)
    assert world.mailed("ana", "boris", "chen", "dana") == [0, 0, 0, 0]

    world.offers("fjord-40", stock=4, price="239.00")
    world.later(MINUTE)
    assert world.mailed("ana", "boris", "chen", "dana") == [1, 1, 0, 0]
    [message] = world.mail_to("ana")
    assert message["Subject"] == "Fjord 40 speakers is back" and "€239.00" in text_of(message)

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


@pytest.mark.proof
def test_sold_out_again_in_the_last_moment_nothing_leaves_and_the_reason_is_kept(world: World):
    ana = world.knows("ana")
    ana.tell("product", **KEY)
    world.later(HOUR)
    world.offers("fjord-40", stock=0)
    world.later(DAY)
    world.offers("fjord-40", stock=1)
    world.later(MINUTE, ("tracking.ingest", "campaigns.trigger", "campaigns.advance"))
    world.offers("fjord-40", stock=0)
    world.later(MINUTE)
    assert world.mailed("ana") == [0]
    skipped = Decision.objects.get(verdict=Decision.Verdict.SKIPPED)
    assert skipped.contact == Contact.objects.get() and "sold out" in skipped.words
