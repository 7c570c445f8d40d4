"""Offers, codes and products for the tests of offers, and one person's message judged."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.models import Coupon, Delivery, Offer
from campaigns.offers import granting
from campaigns.offers.granting import Refused
from campaigns.offers.judging import Asked, Verdict, judge
from crm.models import Contact, Product
from crm.shop.intake import SHOP, LineIn, OrderIn, ProductIn, record_orders, record_products
from tests.campaigns import mailing
from tracking.models import Cart, CartLine

AT = mailing.AT
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def offer(name: str = "Spring", **changes: Any) -> Offer:
    """20 % off everything, in messages only, better than the site, off the ladder, by codes of their own."""
    usual = {
        "kind": Offer.Kind.PERCENT,
        "value": Decimal(20),
        "may_beat_site": True,
        "follows_ladder": False,
        "created_at": AT,
    }
    return Offer.objects.create(name=name, **(usual | changes))


def codes(of: Offer, number: int, **changes: Any) -> list[Coupon]:
    return Coupon.objects.bulk_create(
        Coupon(offer=of, code=f"{of.name.upper()}-{place:04}", created_at=AT, **changes)
        for place in range(number)
    )


def product(external_id: str = "p-1", at: datetime = AT - 30 * DAY, **changes: Any) -> Product:
    usual = {"name": f"Thing {external_id}", "price": Decimal(100), "category": "Speakers", "brand": "Oriel"}
    told = ProductIn(external_id, source_at=at, **(usual | changes))
    return Product.objects.get(pk=record_products([told], at, source=SHOP)[external_id])


def bought(contact: Contact, thing: Product, at: datetime, price: str = "100", **changes: Any) -> None:
    line = LineIn(thing.name, thing.external_id, unit_price=Decimal(price))
    told = OrderIn(
        f"o-{contact.pk}-{at.isoformat()}",
        at,
        Decimal(price),
        contact_id=contact.pk,
        currency="EUR",
        lines=(line,),
        source_at=at,
        **changes,
    )
    record_orders([told], at)


def cart(contact: Contact, *things: Product) -> Cart:
    made = mailing.carts([contact])[0]
    CartLine.objects.filter(cart=made).delete()
    for place, thing in enumerate(things):
        CartLine.objects.create(
            contact=contact, cart=made, product=thing, name=thing.name, price=thing.price, position=place
        )
    return made


def verdict(of: Offer, contact: Contact, about: Cart | None = None, now: datetime = AT) -> Verdict:
    subject = {"subject_kind": "cart", "subject_id": about.pk} if about else {}
    return judge([Asked("one", of, contact.pk, **subject)], now)["one"]


def give(of: Offer, contact: Contact, now: datetime = AT, **changes: Any) -> tuple[Delivery, Refused | None]:
    """A queued message that gives the offer, if it may."""
    campaign = changes.pop("campaign", None) or mailing.campaign()
    usual = {
        "dedupe_key": f"{contact.pk}:{now}:{of.pk}",
        "offer": of,
        "created_at": now,
        "due_at": now,
        "not_before": now,
    }
    message = mailing.message(contact, campaign, **(usual | changes))
    with transaction.atomic():
        refused = granting.grant(of, [message], now)
        message.save()
    return message, refused.get(message.public_id)


def held(message: Delivery) -> Coupon | None:
    return Coupon.objects.filter(held_for=message.public_id).first()
