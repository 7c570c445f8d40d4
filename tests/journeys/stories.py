"""What the stories of people and time have in common: the shop, and a flow of messages that Mei wrote."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from campaigns.flows import launching
from campaigns.messages import branding, editing
from campaigns.models import Campaign, FlowVersion, Offer, Sender, Step, Template
from config.simulate import servers, stage
from crm.models import Purpose
from tests.journeys import shopfloor
from tests.journeys.doors import SHOP, Browser

BUTTON = {"words": "Have a look", "link": f"{SHOP}/new", "style": "filled", "align": "center"}
COUPON = {"title": "For you"}
TICKS = [
    *("tracking.ingest", "tracking.bought", "crm.rhythm", "crm.standing", "crm.segments"),
    *("campaigns.trigger", "campaigns.advance", "campaigns.deliver", "campaigns.reap", "campaigns.credit"),
    *("campaigns.coupons", "tracking.tidy"),
]


class World(shopfloor.World):
    """The shop in which people order, slip away and come back: standings and segments are kept up, too."""

    def later(self, by: timedelta, ticks: Sequence[str] = TICKS) -> None:
        super().later(by, ticks)

    def subjects(self, name: str) -> list[str]:
        return [message["Subject"] for message in self.mail_to(name)]

    def orders(self, name: str, number: str, *products: str, price: str = "20.00", **more: Any) -> None:
        lines = [{"product_id": one, "name": one.title(), "unit_price": price} for one in products]
        self.shop.order(
            id=number, email=f"{name}@example.com", total=price, currency="EUR", lines=lines, **more
        )

    def comes_by(self, browser: Browser, message: EmailMessage) -> None:
        """Follow the link of a message to the shop, and look around there."""
        shopfloor.comes_by(browser, message)
        browser.tell("page", title="News")


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
