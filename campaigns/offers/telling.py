"""What an offer is in words: for messages, for the admin, for *why*."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from campaigns.messages.filters import money
from campaigns.models import Coupon, Offer
from crm.models import ShopSettings

EXAMPLE_CODE = "EXAMPLE-CODE"


def amount(offer: Offer, currency: str) -> str:
    """“20 %”, “€10.00”, “Free shipping”, “a tote bag”."""
    match offer.kind:
        case Offer.Kind.PERCENT:
            return f"{offer.value.normalize():f} %" if offer.value is not None else ""
        case Offer.Kind.AMOUNT:
            return money(offer.value, currency)
        case Offer.Kind.FREE_SHIPPING:
            return "Free shipping"
    return offer.gift or "A gift"


def headline(offer: Offer, currency: str, *, next_order: bool = False) -> str:
    """“20 % off”, “Free shipping on your next order”, “A tote bag for you”."""
    what = amount(offer, currency)
    what = what[:1].upper() + what[1:]
    if offer.kind in (Offer.Kind.PERCENT, Offer.Kind.AMOUNT):
        return f"{what} off your next order" if next_order else f"{what} off"
    if offer.kind == Offer.Kind.FREE_SHIPPING:
        return f"{what} on your next order" if next_order else what
    return f"{what} with your next order" if next_order else f"{what} for you"


def on_what(offer: Offer) -> str:
    """“on Speakers”; nothing where it is on everything."""
    match offer.on:
        case Offer.On.CATEGORY:
            return f"on {offer.category}"
        case Offer.On.BRAND:
            return f"on {offer.brand}"
        case Offer.On.PRODUCTS:
            return "on chosen products"
    return ""


def conditions(offer: Offer, currency: str, ends_at: datetime | None, zone: tzinfo, *, once: bool) -> str:
    """“On Speakers, from €50.00, until 3 March 2026, once.”; nothing where there are none."""
    parts = [
        on_what(offer),
        f"from {money(offer.minimum, currency)}" if offer.minimum else "",
        f"until {day(ends_at, zone)}" if ends_at else "",
        "once" if once else "",
    ]
    told = ", ".join(filter(None, parts))
    return f"{told[:1].upper()}{told[1:]}." if told else ""


def day(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%-d %B %Y}"


def summary(offer: Offer, currency: str) -> str:
    """The offer as a line of the admin: “20 % off on Speakers from €50.00”."""
    parts = [
        headline(offer, currency),
        on_what(offer),
        f"from {money(offer.minimum, currency)}" if offer.minimum else "",
    ]
    return " ".join(filter(None, parts))


NO_OFFER: dict[str, Any] = dict.fromkeys(
    ("code", "headline", "amount", "conditions", "on", "ends_at", "minimum", "gift", "applies_next_order")
)
"""What templates see where a message gives nothing."""


def told(offer: Offer, coupon: Coupon | None, shop: ShopSettings, zone: tzinfo) -> dict[str, Any]:
    """The offer as templates see it, by the code its holder has; an example of a code where nobody has one.
    Days are those of the shop's zone.
    """
    next_order = bool(coupon and coupon.next_order)
    ends_at = coupon.expires_at if coupon else offer.ends_at
    single = offer.codes == Offer.Codes.SINGLE
    if coupon:
        code = coupon.code
    else:
        code = offer.shared_code if offer.codes == Offer.Codes.SHARED else EXAMPLE_CODE if single else ""
    return {
        "code": code or None,
        "headline": headline(offer, shop.currency, next_order=next_order),
        "amount": amount(offer, shop.currency),
        "conditions": conditions(offer, shop.currency, ends_at, zone, once=single) or None,
        "on": on_what(offer) or None,
        "ends_at": ends_at.astimezone(zone) if ends_at else None,
        "minimum": offer.minimum,
        "gift": offer.gift or None,
        "applies_next_order": next_order,
    }
