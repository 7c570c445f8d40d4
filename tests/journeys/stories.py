"""What the stories of plays have in common: a shop with its doors on real sockets, the clock in our hand, a
mailbox, and a flow of messages that Mei wrote.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from campaigns.flows import launching
from campaigns.messages import branding, editing
from campaigns.models import Campaign, FlowVersion, Offer, Sender, Step, Template
from config.simulate import servers, stage
from config.simulate.sink import Sink
from crm.kernel import clock
from crm.models import Purpose
from crm.ticking import run_tick
from tests.journeys.doors import SHOP, Browser, Server, ask, links_of

AGREED = [
    {"purpose": purpose, "granted": True, "wording": f"Yes to {purpose}", "locale": "en"}
    for purpose in ("newsletter", "click_tracking", "open_tracking")
]
BUTTON = {"words": "Have a look", "link": f"{SHOP}/new", "style": "filled", "align": "center"}
COUPON = {"title": "For you"}
TICKS = [
    *("tracking.ingest", "tracking.bought", "crm.rhythm", "crm.standing", "crm.segments"),
    *("campaigns.trigger", "campaigns.advance", "campaigns.deliver", "campaigns.reap", "campaigns.credit"),
    *("campaigns.coupons", "tracking.tidy"),
]


class World:
    """A shop, its doors on real sockets, and the clock in our hand."""

    def __init__(self, hand: clock.Hand, sink: Sink, collector: int, web: int, server_key: str) -> None:
        self.hand, self.sink, self.collector, self.web = hand, sink, collector, web
        self.shop = Shop(web, server_key)

    def later(self, by: timedelta) -> None:
        """Time passes, and everything scheduled gets its turn."""
        self.hand.advance(by)
        for name in TICKS:
            run_tick(name, self.hand.at)

    def mail_to(self, name: str) -> list[EmailMessage]:
        found = [one.raw for one in self.sink.arrivals if one.to == f"{name}@example.com"]
        return [message_from_bytes(raw, policy=policy.default) for raw in found]  # type: ignore[misc]

    def subjects(self, name: str) -> list[str]:
        return [message["Subject"] for message in self.mail_to(name)]

    def registers(self, name: str) -> Browser:
        """Somebody gives their address in the shop and says yes to news."""
        browser = Browser(self.collector)
        browser.identify(f"{name}@example.com", first_name=name.title(), consents=AGREED)
        return browser

    def orders(self, name: str, number: str, *products: str, price: str = "20.00", **more: Any) -> None:
        lines = [{"product_id": one, "name": one.title(), "unit_price": price} for one in products]
        self.shop.order(
            id=number, email=f"{name}@example.com", total=price, currency="EUR", lines=lines, **more
        )

    def comes_by(self, browser: Browser, message: EmailMessage) -> None:
        """Follow the link of a message to the shop, and look around there."""
        for link in links_of(message):
            if "/k/" in link and (target := browser.follow(link)).startswith(SHOP):
                key = target.partition("rk=")[2].partition("&")[0]
                browser.tell("landing", rk=key)
                browser.tell("page", title="News")
                return
        raise AssertionError("No link of the message leads to the shop.")


class Shop(Server):
    """The shop's own server, also telling of products and people."""

    def tell(self, call: str, **details: Any) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        answer, words = ask(self.port, "POST", f"/api/v1/{call}", details, headers)
        assert answer.status in (200, 202), words
        return words


@contextmanager
def opened(morning: datetime) -> Iterator[World]:
    with stage.by_hand(morning) as hand, servers.mailbox() as sink, stage.mail_into(sink):
        key = stage.set_up(morning)
        with servers.collector() as collector, servers.web() as web:
            yield World(hand, sink, collector, web, key)


def send(subject: str, words: str = "We have something new.", offer: Offer | None = None) -> dict[str, Any]:
    """A step that sends a message with a button to the shop."""
    return {"kind": "campaigns.send_email", "message": (subject, words, offer), "offer": offer}


def wait(days: int) -> dict[str, Any]:
    return {"kind": "campaigns.wait", "params": {"length": str(days), "unit": "days"}}


def launched(
    name: str, now: datetime, trigger: dict[str, Any], *steps: dict[str, Any], **more: Any
) -> Campaign:
    """A flow that Mei wrote and launched: everything on its checklist is green."""
    [(key, params)] = trigger.items()
    usual = {
        "purpose": Purpose.objects.get(key="newsletter"),
        "sender": Sender.objects.get(is_default=True),
        "expires_after": timedelta(days=1),
        "trigger": key,
        "trigger_params": params,
        "created_at": now,
    }
    campaign = Campaign.objects.create(name=name, **(usual | more))
    version = FlowVersion.objects.create(campaign=campaign, number=1, created_at=now)
    for place, step in enumerate(steps, start=1):
        row = {key: value for key, value in step.items() if key != "message"}
        template = _message(name, *step["message"], now) if "message" in step else None
        Step.objects.create(version=version, key=f"step-{place}", position=place, template=template, **row)
    return launching.launch(campaign, "mei", now)


def _message(campaign: str, subject: str, words: str, offer: Offer | None, now: datetime) -> Template:
    template = Template.objects.create(name=f"{campaign}: {subject}"[:120], created_at=now)
    hello = 'Hello {{ contact.first_name | default: "there" }},'
    blocks = [
        {"kind": "campaigns.text", "params": {"heading": hello, "words": words, "align": "left"}},
        {"kind": "campaigns.button", "params": BUTTON},
        {"kind": "campaigns.footer", "params": {"because": "You get this because you asked for news."}},
    ]
    if offer:
        blocks.insert(1, {"kind": "campaigns.coupon", "params": COUPON})
    editing.save_version(
        template, subject=subject, preheader="", blocks=blocks, look=branding.this_look(), by=None, now=now
    )
    template.refresh_from_db()
    return template
