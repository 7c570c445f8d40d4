"""A shop with its doors on real sockets, a catalogue, a marketer who launches the plays, and the clock in our
hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from campaigns.models import Decision, Enrolment
from config.simulate import servers, stage
from config.simulate.sink import Sink
from crm.kernel import clock
from crm.models import Contact, Standing
from crm.ticking import run_tick
from tests.journeys.desk import Desk
from tests.journeys.doors import SHOP, Browser, Server, links_of

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PURPOSES = ("newsletter", "cart_recovery", "product_reminder", "back_in_stock", "win_back")
AGREED = [
    {"purpose": purpose, "granted": True, "wording": f"Yes to {purpose}", "locale": "en"}
    for purpose in (*PURPOSES, "click_tracking", "open_tracking")
]
TICKS = (
    *("tracking.ingest", "tracking.bought", "crm.bought", "crm.rhythm", "crm.standing", "crm.permitted"),
    *("crm.leads", "crm.statuses", "crm.segments", "campaigns.recommend"),
    *("campaigns.trigger", "campaigns.advance", "campaigns.deliver", "campaigns.notices", "campaigns.reap"),
    *("campaigns.credit", "campaigns.coupons", "tracking.tidy"),
)
Goods = Mapping[str, tuple[str, str, str]]
GOODS: Goods = {
    "fjord-40": ("Fjord 40 speakers", "Speakers", "249.00"),
    "amp": ("Amp", "Amplifiers", "399.00"),
    "cable-3": ("Cable, 3 m", "Cables", "19.50"),
}


class World:
    def __init__(
        self, hand: clock.Hand, sink: Sink, doors: tuple[int, int], server_key: str, goods: Goods
    ) -> None:
        self.hand, self.sink, self.goods = hand, sink, goods
        self.collector, self.web = doors
        self.shop = Server(self.web, server_key)

    @cached_property
    def mia(self) -> Desk:
        return Desk()

    def later(self, by: timedelta, ticks: Sequence[str] = TICKS) -> None:
        """Time passes, and what is scheduled gets its turn."""
        self.hand.advance(by)
        for name in ticks:
            run_tick(name, self.hand.at)

    def days(self, number: int) -> None:
        for _ in range(number):
            self.later(DAY)

    def morning(self) -> None:
        """The next ten o'clock in the shop's zone."""
        local = self.hand.at.astimezone(ZoneInfo("Asia/Shanghai"))
        ten = local.replace(hour=10, minute=0, second=0, microsecond=0)
        self.later((ten if ten > local else ten + DAY) - local)

    def until(self, name: str, state: str) -> None:
        """Time passes until the person stands there; the shop's rhythm is measured anew on the way."""
        for _ in range(5):
            due = getattr(Standing.objects.get(contact=person(name)), f"{state}_at")
            self.later(max(due - self.hand.at, MINUTE))
            if Standing.objects.get(contact=person(name)).state == state:
                return
        raise AssertionError(f"{name} is not {state}.")

    def knows(self, name: str) -> Browser:
        """Somebody whose address the shop vouches for, and who agreed."""
        browser = Browser(self.collector)
        browser.identify(f"{name}@example.com", first_name=name.title(), consents=AGREED)
        return browser

    def offers(self, key: str, **said: Any) -> None:
        name, category, price = self.goods[key]
        usual = {"name": name, "category": category, "price": price, "currency": "EUR"}
        self.shop.product(id=key, **({"url": f"{SHOP}/p/{key}"} | usual | said))

    def orders(self, name: str, number: str, *keys: str, price: str = "20.00", **more: Any) -> None:
        lines = [{"product_id": key, "name": self.named(key), "unit_price": price} for key in keys]
        usual = {"id": number, "number": number, "total": price, "currency": "EUR", "lines": lines}
        self.shop.order(email=f"{name}@example.com", **(usual | more))

    def named(self, key: str) -> str:
        return self.goods[key][0] if key in self.goods else key.title()

    def mail_to(self, name: str) -> list[EmailMessage]:
        found = [one.raw for one in self.sink.arrivals if one.to == f"{name}@example.com"]
        return [message_from_bytes(raw, policy=policy.default) for raw in found]  # type: ignore[misc]

    def subjects(self, name: str) -> list[str]:
        return [message["Subject"] for message in self.mail_to(name)]

    def mailed(self, *names: str) -> list[int]:
        return [len(self.mail_to(name)) for name in names]


@contextmanager
def opened(morning: datetime = MORNING, goods: Goods = GOODS) -> Iterator[World]:
    """The shop with its goods, before anybody came."""
    with stage.by_hand(morning) as hand, servers.mailbox() as sink, stage.mail_into(sink):
        key = stage.set_up(morning)
        with servers.collector() as collector, servers.web() as web:
            world = World(hand, sink, (collector, web), key, goods)
            for name in goods:
                world.offers(name)
            world.later(MINUTE)
            yield world


def person(name: str) -> Contact:
    return Contact.objects.get(email=f"{name}@example.com")


def skips(name: str) -> list[str]:
    """Why the person did not get what they might have got."""
    noes = (Decision.Verdict.SKIPPED, Decision.Verdict.SUPPRESSED, Decision.Verdict.WAITED)
    found = Decision.objects.filter(contact=person(name), verdict__in=noes).order_by("decided_at", "id")
    return list(found.values_list("words", flat=True))


def endings(name: str) -> list[str]:
    """Why each run of the person ended before its last step."""
    runs = Enrolment.objects.filter(contact=person(name)).exclude(left_reason="").order_by("finished_at")
    return list(runs.values_list("left_reason", flat=True))


def looks(browser: Browser, *keys: str) -> None:
    for key in keys:
        browser.tell("product", product_id=key, name=GOODS[key][0])


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def comes_by(browser: Browser, message: EmailMessage) -> None:
    """Click in the message, arrive in the shop, where the script confirms it, and look around."""
    target = next(browser.follow(link) for link in links_of(message) if "/k/" in link)
    browser.tell("landing", rk=parse_qs(urlsplit(target).query)["rk"][0])
    browser.tell("page", title="News")
