"""Ana leaves a cart, gets one message eight minutes later, comes back by it, brings the cart back and
buys.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import pytest

from campaigns.models import Decision, Delivery, Enrolment, OrderCredit
from config.simulate import servers, stage
from config.simulate.sink import Sink
from crm.kernel import clock, timeline
from crm.models import Contact
from crm.ticking import run_tick
from tests.journeys.doors import SHOP, Browser, Server, links_of
from tracking.models import Cart

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPEAKERS = {
    "product_id": "fjord-40",
    "name": "Fjord 40 speakers",
    "price": "249.00",
    "url": f"{SHOP}/p/fjord-40",
}
CABLE = {"product_id": "cable-3", "name": "Cable, 3 m", "price": "19.50", "quantity": 2}
AGREED = [
    {"purpose": purpose, "granted": True, "wording": f"Yes to {purpose}", "locale": "en"}
    for purpose in ("cart_recovery", "click_tracking", "open_tracking")
]

TICKS = [
    *("tracking.ingest", "tracking.bought", "campaigns.trigger", "campaigns.advance", "campaigns.deliver"),
    *("campaigns.reap", "campaigns.credit", "tracking.tidy"),
]


class World:
    """A launched shop, its doors on real sockets, and the clock in our hand."""

    def __init__(self, hand: clock.Hand, sink: Sink, collector: int, web: int, server_key: str) -> None:
        self.hand, self.sink, self.collector = hand, sink, collector
        self.shop = Server(web, server_key)

    def later(self, by: timedelta) -> None:
        """Time passes, and everything scheduled gets its turn."""
        self.hand.advance(by)
        for name in TICKS:
            run_tick(name, self.hand.at)

    def mail(self) -> list[EmailMessage]:
        return [message_from_bytes(one.raw, policy=policy.default) for one in self.sink.arrivals]  # type: ignore[misc]


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with stage.by_hand(MORNING) as hand, servers.mailbox() as sink, stage.mail_into(sink):
        key = stage.set_up(MORNING)
        stage.make_campaign(MORNING)
        with servers.collector() as collector, servers.web() as web:
            yield World(hand, sink, collector, web, key)


def test_the_story(world: World):
    ana = Browser(world.collector)
    ana.identify("ana@example.com", first_name="Ana", consents=AGREED)
    ana.tell("product", **SPEAKERS)
    world.later(MINUTE)
    ana.cart("till-1", SPEAKERS, CABLE)
    world.later(7 * MINUTE)
    assert world.mail() == [], "she may still be thinking"

    world.later(MINUTE)
    assert [one.to for one in world.sink.arrivals] == ["ana@example.com"]
    (message,) = world.mail()
    assert "Fjord 40 speakers" in message["Subject"]
    assert message["Reply-To"] and message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = message.get_body(("plain",)).get_content()
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
    world.shop.order(
        id="4711",
        email="ana@example.com",
        total="342.72",
        tax="54.72",
        shipping="0",
        currency="EUR",
        cart_token="till-1",
        lines=[{"product_id": "fjord-40", "name": "Fjord 40 speakers", "unit_price": "249.00"}],
    )
    world.later(MINUTE)

    credit = OrderCredit.objects.get()
    assert (credit.amount, credit.currency, credit.at_once) == (Decimal("288.00"), "EUR", True)
    assert credit.delivery_id == Delivery.objects.get().pk
    assert Cart.objects.get().state == Cart.State.BOUGHT

    for _ in range(3):
        world.later(timedelta(days=1))
    assert len(world.mail()) == 1
    told = {entry.kind for entry in timeline.read(Contact.objects.get().pk).entries}
    assert {"cart", "consent", "flow", "message", "order"} <= told


def test_whoever_buys_in_time_hears_nothing(world: World):
    boris = Browser(world.collector)
    boris.identify("boris@example.com", consents=AGREED)
    boris.cart("till-2", SPEAKERS)
    world.later(7 * MINUTE)
    world.shop.order(id="4712", email="boris@example.com", total="19.00", currency="EUR")
    for _ in range(20):
        world.later(MINUTE)
    assert world.mail() == []
    assert not Enrolment.objects.exists()


def test_whoever_did_not_agree_hears_nothing_and_the_reason_is_kept(world: World):
    chen = Browser(world.collector)
    chen.identify("chen@example.com")
    chen.cart("till-3", SPEAKERS)
    for _ in range(12):
        world.later(MINUTE)
    assert world.mail() == []
    assert Decision.objects.get(verdict=Decision.Verdict.SUPPRESSED).contact == Contact.objects.get()


def test_coming_back_to_the_shop_begins_the_wait_anew(world: World):
    dana = Browser(world.collector)
    dana.identify("dana@example.com", consents=AGREED)
    dana.cart("till-4", SPEAKERS)
    world.later(7 * MINUTE)
    dana.tell("product", **CABLE)
    world.later(7 * MINUTE)
    assert world.mail() == []
    world.later(MINUTE)
    assert len(world.mail()) == 1


def _way_back(browser: Browser, message: EmailMessage) -> str:
    """Follow the links of the message until one leads to the page that brings the cart back."""
    for link in links_of(message):
        if "/k/" in link and (target := browser.follow(link)).startswith(f"{SHOP}/restore"):
            return target
    raise AssertionError("No link of the message brings the cart back.")
