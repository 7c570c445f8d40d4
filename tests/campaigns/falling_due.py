"""A shop whose carts fall due one after the other, each at its own moment: for what is timed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from campaigns.models import FrequencySettings, Sender
from crm.models import Purpose, ShopSettings
from crm.people import engagement
from tests.campaigns import mailing
from tracking.models import Cart

DELAY = timedelta(minutes=8)
"""After so long without anything done a cart is left."""


def shop(now: datetime) -> None:
    """All that a cart message needs of the shop; nobody is held out."""
    ShopSettings.objects.update_or_create(
        id=1,
        defaults={
            "name": "Hearth",
            "url": "https://shop.test/",
            "cart_restore_url": "https://shop.test/cart",
            "postal_address": "Nygade 4, København",
            "telephone": "+45 33 12 34 00",
            "time_zone": "UTC",
            "set_up_at": now,
        },
    )
    FrequencySettings.objects.update_or_create(pk=1, defaults={"control_percent": 0})
    Sender.objects.create(
        name="Mira",
        email="mira@hearth.test",
        person="Mira",
        reply_to="mira@hearth.test",
        telephone="+45 33",
        is_default=True,
    )


def moments(emails: Sequence[str], start: datetime, seconds: float) -> dict[str, datetime]:
    """When each is due, evenly over so many seconds."""
    return {
        email: start + timedelta(seconds=number * seconds / len(emails))
        for number, email in enumerate(emails)
    }


def carts_due(count: int, start: datetime, seconds: float, first: int) -> dict[str, datetime]:
    """Leave so many carts, of people from this number on; by address, when each falls due."""
    people = mailing.people(count, Purpose.objects.get(key="cart_recovery"), first=first)
    due = moments([one.email for one in people], start, seconds)
    carts = mailing.carts(people)
    for cart in carts:
        cart.changed_at = cart.recorded_at = due[cart.contact.email] - DELAY
        cart.opened_at = cart.changed_at - timedelta(minutes=5)
    Cart.objects.bulk_update(carts, ["changed_at", "recorded_at", "opened_at"], batch_size=1000)
    engagement.touch("last_seen_at", {cart.contact_id: cart.changed_at for cart in carts})
    return due
