"""A running campaign with a flow, people who agreed, their carts, and the ticks stepped by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from campaigns.flows import journeys
from campaigns.models import Campaign, FlowVersion, Step
from crm.kernel.work import Budget
from crm.models import Contact, Engagement, Order
from tests.campaigns import mailing
from tracking.models import Cart, CartLine

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DELAY = 8 * MINUTE

SEND = {"kind": "campaigns.send_email"}
WAIT = {"kind": "campaigns.wait", "params": {"length": "24", "unit": "hours"}}
LEAVE = {"kind": "campaigns.leave", "params": {"reason": "enough"}}


def flow(*steps: dict[str, Any], **changes: Any) -> Campaign:
    """A running campaign on carts left for eight minutes, launched a day ago; it sends once unless told.

    Nobody sends what it queues, so it is outside the frequency limits: what is on its way would fill them.
    """
    usual = {
        "in_caps": False,
        "trigger_params": {"delay_minutes": "8"},
        "expires_after": timedelta(hours=3),
        "launched_at": AT - timedelta(days=1),
        "reentry_days": 7,
    }
    campaign = mailing.campaign(**(usual | changes))
    version = FlowVersion.objects.create(campaign=campaign, frozen_at=AT)
    for position, step in enumerate(steps or (SEND,), start=1):
        is_send = step["kind"] == SEND["kind"]
        Step.objects.create(
            version=version,
            key=f"step-{position}",
            position=position,
            template=mailing.template() if is_send else None,
            **step,
        )
    campaign.current = version
    campaign.save()
    return campaign


def shopper(campaign: Campaign, number: int = 1) -> Contact:
    return mailing.people(1, campaign.purpose, first=number)[0]


def leave_cart(contact: Contact, at: datetime, *, token: str = "", **changes: Any) -> Cart:
    """A cart last changed `at`, which was also the last thing the person did."""
    seen(contact, at)
    usual = {
        "token": token or f"cart-{contact.pk}",
        "currency": "EUR",
        "total": Decimal(40),
        "item_count": 1,
        "has_priced_line": True,
        "opened_at": at - 5 * MINUTE,
        "changed_at": at,
        "recorded_at": at,
    }
    cart = Cart.objects.create(contact=contact, **(usual | changes))
    CartLine.objects.create(
        contact=contact, cart=cart, name="Fjord 40", url="https://shop.test/p/1", price=Decimal(40)
    )
    return cart


def seen(contact: Contact, at: datetime) -> None:
    Engagement.objects.update_or_create(contact=contact, defaults={"last_seen_at": at})


def buy(contact: Contact, at: datetime, **changes: Any) -> Order:
    number = Order.objects.count() + 1
    usual = {"source": "api", "external_id": f"o-{number}", "currency": "EUR", "total": Decimal(50)}
    return Order.objects.create(
        contact=contact, occurred_at=at, recorded_at=at, source_at=at, **(usual | changes)
    )


def enrol(now: datetime) -> int:
    return journeys.enrol(now, Budget(30))


def advance(now: datetime) -> int:
    return journeys.advance(now, Budget(30))


def run(now: datetime) -> None:
    enrol(now)
    advance(now)


def verdicts(rows: Sequence[Any]) -> list[str]:
    return [row.verdict for row in rows]
