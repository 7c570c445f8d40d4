"""Ana leaves a cart, gets one message eight minutes later, comes back by it, brings the cart back and buys.
Eva does none of that: a day later she reads what people ask, and after three days, as she never bought, she
gets something for her first order. Finn was at the checkout: the play for it has the word, the other one
leaves him to it. Boris buys in time, Chen did not agree, Dana comes back to the shop.
"""

from collections.abc import Iterator
from decimal import Decimal
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import pytest

from campaigns.models import Coupon, Decision, Delivery, Enrolment, OrderCredit
from crm.kernel import timeline
from tests.journeys.doors import SHOP, Browser, links_of
from tests.journeys.shopfloor import DAY, HOUR, MINUTE, World, endings, looks, opened, person, skips, text_of
from tracking.models import Cart

SPEAKERS = {
    "product_id": "fjord-40",
    "name": "Fjord 40 speakers",
    "price": "249.00",
    "url": f"{SHOP}/p/fjord-40",
}
CABLE = {"product_id": "cable-3", "name": "Cable, 3 m", "price": "19.50", "quantity": 2}
FIRST, QUESTIONS = "Still in your cart: Fjord 40 speakers", "Is anything unclear about your cart?"


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        yield world


def test_the_story(world: World):
    world.mia.launches("abandoned_cart", world.mia.makes_offer("First order", first_time_only="on", rung="1"))
    ana, eva = world.knows("ana"), world.knows("eva")
    looks(ana, "fjord-40")
    world.later(MINUTE)
    ana.cart("till-1", SPEAKERS, CABLE)
    eva.cart("till-2", SPEAKERS)
    world.later(7 * MINUTE)
    assert world.mailed("ana") == [0], "she may still be thinking"

    world.later(MINUTE)
    assert world.mailed("ana", "eva") == [1, 1]
    (message,) = world.mail_to("ana")
    assert message["Subject"] == f"{FIRST} and more"
    assert message["Reply-To"] and message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = text_of(message)
    assert "Ana" in text and "Cable, 3 m" in text and "+86 10 5555 0100" in text

    world.later(3 * MINUTE)
    target = _way_back(ana, message)
    asked = parse_qs(urlsplit(target).query)
    assert target.startswith(f"{SHOP}/restore")
    found = ana.read_cart(asked["token"][0])
    assert [item["name"] for item in found["items"]] == ["Fjord 40 speakers", "Cable, 3 m"]
    ana.tell("landing", rk=asked["rk"][0])
    ana.tell("restore", token=asked["token"][0], cart_token="till-1")
    world.later(2 * MINUTE)
    bought = {"total": "342.72", "tax": "54.72", "shipping": "0", "cart_token": "till-1"}
    world.orders("ana", "4711", "fjord-40", price="249.00", **bought)
    world.later(MINUTE)
    credit = OrderCredit.objects.get()
    assert (credit.amount, credit.currency, credit.at_once) == (Decimal("288.00"), "EUR", True)
    assert credit.delivery_id == Delivery.objects.get(contact_id=person("ana").pk).pk
    assert Cart.objects.get(token="till-1").state == Cart.State.BOUGHT

    world.later(DAY)
    assert world.subjects("eva") == [FIRST, QUESTIONS]
    world.later(2 * DAY + HOUR)
    assert world.subjects("eva")[2:] == ["10 % off: Fjord 40 speakers"]
    assert Coupon.objects.get(contact_id=person("eva").pk).code in text_of(world.mail_to("eva")[2])
    assert world.mailed("ana") == [1] and endings("ana") == ["purchased"]
    told = {entry.kind for entry in timeline.read(person("ana").pk).entries}
    assert {"cart", "consent", "flow", "message", "order"} <= told


def test_others_hear_nothing_or_later_and_a_checkout_has_a_play_of_its_own(world: World):
    offer = world.mia.makes_offer("First order", first_time_only="on", rung="1")
    for play in ("abandoned_checkout", "abandoned_cart"):
        world.mia.launches(play, offer)
    boris, dana, finn = (world.knows(name) for name in ("boris", "dana", "finn"))
    chen = Browser(world.collector)
    chen.identify("chen@example.com")
    for number, browser in enumerate((boris, chen, dana, finn)):
        browser.cart(f"till-{number}", SPEAKERS)
    finn.tell("checkout", token="till-3", currency="EUR", checkout_id="c-3", lines=[SPEAKERS])
    world.later(7 * MINUTE)
    world.orders("boris", "4712")
    looks(dana, "cable-3")
    world.later(7 * MINUTE)
    assert world.mailed("boris", "chen", "dana", "finn") == [0, 0, 0, 1]
    world.later(MINUTE)
    assert world.mailed("dana") == [1], "eight minutes after she was back"
    assert not Enrolment.objects.filter(contact=person("boris")).exists(), "he bought in time"
    suppressed = Decision.objects.get(verdict=Decision.Verdict.SUPPRESSED)
    assert suppressed.contact == person("chen") and skips("chen") == [suppressed.words]
    runs = Enrolment.objects.filter(contact=person("finn"))
    assert [run.campaign.name for run in runs] == ["Abandoned checkout"]


def _way_back(browser: Browser, message: EmailMessage) -> str:
    """Follow the links of the message until one leads to the page that brings the cart back."""
    for link in links_of(message):
        if "/k/" in link and (target := browser.follow(link)).startswith(f"{SHOP}/restore"):
            return target
    raise AssertionError("No link of the message brings the cart back.")
