"""What people did without a message: of those a test run would have written to, who bought on their own, and
what the flow's coupons would have taken off those orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import batched
from uuid import UUID

from campaigns.models import Offer
from crm.models import Order
from crm.shop.settings import this_shop

AT_ONCE = 10_000


@dataclass(frozen=True)
class Anyway:
    """`people` bought within so many `days` of the moment they would have come in. `cost` is what the best of
    the flow's offers would have taken off the first order of each at most, in the shop's currency: None where
    it has no offer, or none of which that can be told (a gift).
    """

    people: int
    days: int
    cost: Decimal | None


def bought(would_get: Mapping[UUID, datetime], days: int, offers: Iterable[Offer]) -> Anyway:
    """What these people bought, by whom and the moment each would have come in; a query for ten thousand."""
    told = [offer for offer in offers if offer.kind != Offer.Kind.GIFT]
    currency, within = this_shop().currency, timedelta(days=days)
    firsts: dict[UUID, Decimal] = {}
    for some in batched(would_get, AT_ONCE):
        moments = [would_get[person] for person in some]
        orders = Order.objects.filter(
            contact_id__in=some, occurred_at__gte=min(moments), occurred_at__lt=max(moments) + within
        ).exclude(status=Order.Status.CANCELLED)
        rows = orders.order_by("occurred_at", "pk")
        for person, at, total, shipping, paid_in in rows.values_list(
            "contact_id", "occurred_at", "total", "shipping", "currency"
        ):
            if person not in firsts and would_get[person] <= at < would_get[person] + within:
                is_ours = paid_in == currency
                firsts[person] = _most_off(told, total, shipping) if is_ours else Decimal(0)
    cost = sum(firsts.values(), Decimal(0)).quantize(Decimal("0.01")) if told else None
    return Anyway(len(firsts), days, cost)


def _most_off(offers: Iterable[Offer], total: Decimal, shipping: Decimal) -> Decimal:
    """What the best of these would take off an order at most: as if all of it were what the offer is on."""
    goods = max(total - shipping, Decimal(0))
    return max((_off(offer, goods, shipping) for offer in offers), default=Decimal(0))


def _off(offer: Offer, goods: Decimal, shipping: Decimal) -> Decimal:
    if offer.minimum is not None and goods < offer.minimum:
        return Decimal(0)
    if offer.kind == Offer.Kind.FREE_SHIPPING:
        return shipping
    value = offer.value or Decimal(0)
    return goods * value / 100 if offer.kind == Offer.Kind.PERCENT else min(value, goods)
