"""A shop with a catalogue, its doors on real sockets, one campaign launched, and the clock in our hand."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

from campaigns.flows import launching
from campaigns.messages import editing
from campaigns.models import Campaign, FlowVersion, Step, Template
from config.simulate import servers, stage
from config.simulate.sink import Sink
from crm.kernel import clock
from crm.models import Purpose
from crm.ticking import run_tick
from tests.journeys.doors import SHOP, Browser, Server, links_of

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AGREED = [
    {"purpose": purpose, "granted": True, "wording": f"Yes to {purpose}", "locale": "en"}
    for purpose in ("newsletter", "click_tracking")
]
TICKS = (
    *("tracking.ingest", "tracking.bought", "campaigns.trigger", "campaigns.advance", "campaigns.deliver"),
    *("campaigns.reap", "campaigns.credit", "tracking.tidy"),
)
GOODS = {
    "fjord-40": ("Fjord 40 speakers", "249.00"),
    "cable-3": ("Cable, 3 m", "19.50"),
    "amp": ("Amp", "399.00"),
}


_FOOT = """

{{ links.restore }}
{{ sender.name }}, {{ sender.phone }}
{{ shop.name }}, {{ shop.postal_address }}
{{ links.unsubscribe }}"""


class World:
    def __init__(self, hand: clock.Hand, sink: Sink, collector: int, web: int, server_key: str) -> None:
        self.hand, self.sink, self.collector = hand, sink, collector
        self.shop = Server(web, server_key)

    def later(self, by: timedelta, ticks: Sequence[str] = TICKS) -> None:
        """Time passes, and what is scheduled gets its turn."""
        self.hand.advance(by)
        for name in ticks:
            run_tick(name, self.hand.at)

    def days(self, number: int) -> None:
        for _ in range(number):
            self.later(DAY)

    def knows(self, name: str) -> Browser:
        """Somebody whose address the shop vouches for, and who agreed."""
        browser = Browser(self.collector)
        browser.identify(f"{name}@example.com", first_name=name.title(), consents=AGREED)
        return browser

    def offers(self, key: str, **said: Any) -> None:
        name, price = GOODS[key]
        usual = {"name": name, "price": price, "currency": "EUR", "url": f"{SHOP}/p/{key}"}
        self.shop.product(id=key, **(usual | said))

    def mail_to(self, name: str) -> list[EmailMessage]:
        found = [one.raw for one in self.sink.arrivals if one.to == f"{name}@example.com"]
        return [message_from_bytes(raw, policy=policy.default) for raw in found]  # type: ignore[misc]

    def mailed(self, *names: str) -> list[int]:
        return [len(self.mail_to(name)) for name in names]


@contextmanager
def opened() -> Iterator[World]:
    """The shop with its goods, before anybody came."""
    with stage.by_hand(MORNING) as hand, servers.mailbox() as sink, stage.mail_into(sink):
        key = stage.set_up(MORNING)
        with servers.collector() as collector, servers.web() as web:
            world = World(hand, sink, collector, web, key)
            for name in GOODS:
                world.offers(name)
            world.later(MINUTE)
            yield world


def play(trigger: str, params: dict[str, Any], *steps: Any, **changes: Any) -> Campaign:
    """Launched now: each step is a message (its subject and text) or a wait of so many days."""
    now = clock.now()
    campaign = Campaign.objects.create(
        name=trigger,
        purpose=Purpose.objects.get(key="newsletter"),
        trigger=f"campaigns.{trigger}",
        trigger_params=params,
        created_at=now,
        **changes,
    )
    version = FlowVersion.objects.create(campaign=campaign, created_at=now)
    for position, step in enumerate(steps, start=1):
        row = Step(version=version, key=f"step-{position}", position=position)
        if isinstance(step, int):
            row.kind, row.params = "campaigns.wait", {"length": str(step), "unit": "days"}
        else:
            row.kind, row.template = "campaigns.send_email", _message(f"{trigger} {position}", *step)
        row.save()
    return launching.launch(campaign, "mia", now)


def _message(name: str, subject: str, text: str) -> Template:
    template = Template.objects.create(name=name, created_at=clock.now())
    text += _FOOT
    mjml = f"<mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section>"
    mjml = f"<mjml><mj-body>{mjml}</mj-body></mjml>"
    said = {"subject": subject, "preheader": "", "mjml": mjml, "text": text}
    assert editing.problems(**said) == []
    editing.save_version(template, **said, by=None, now=clock.now())
    return template


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def comes_by(browser: Browser, message: EmailMessage) -> None:
    """Click in the message and arrive in the shop, where the script confirms it."""
    target = next(browser.follow(link) for link in links_of(message) if "/k/" in link)
    browser.tell("landing", rk=parse_qs(urlsplit(target).query)["rk"][0])
