"""The price memory: what the site asked for each product over time, and what people paid for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from crm.kernel import ids
from crm.models import Order, OrderLine, PriceChange, Product
from crm.models.writing import insert_rows

REMEMBERED = ("price", "list_price", "currency")

type Price = tuple[Decimal | None, Decimal | None, str]
type Change = tuple[UUID, Price, datetime]
"""A product, what is asked for it, and from when on."""


@dataclass(frozen=True, slots=True)
class Paid:
    """One line of an order: what a person paid for one, and whether nothing was off.

    `at_full_price`: no coupon and no discount on the order, and the line not below its list price, else below
    what the site asked at the time, list price first. Where nothing is known of what was asked, it was full.
    """

    contact_id: UUID
    product_id: UUID | None
    order_id: UUID
    at: datetime
    unit_price: Decimal
    at_full_price: bool


def price_of(product: Product) -> Price:
    return product.price, product.list_price, product.currency


def remember(changes: Iterable[Change], now: datetime) -> None:
    """Write what the site asks for products from an instant on; call it in the transaction of the change."""
    rows = [
        PriceChange(
            id=ids.uuid7(now),
            product_id=product_id,
            price=price,
            list_price=list_price,
            currency=currency,
            occurred_at=min(at, now),
            recorded_at=now,
        )
        for product_id, (price, list_price, currency), at in changes
    ]
    insert_rows(rows)


def asked(product_ids: Collection[UUID], at: datetime) -> dict[UUID, PriceChange]:
    """What the site asked for each product at an instant, as known then; nothing where it was not known."""
    rows = PriceChange.objects.filter(product__in=product_ids, occurred_at__lte=at, recorded_at__lte=at)
    newest = rows.order_by("product", "-occurred_at", "-id").distinct("product")
    return {row.product_id: row for row in newest}


def fallen(since: datetime, now: datetime) -> QuerySet[PriceChange]:
    """What the site asks now for each product that can be bought and became cheaper, where we came to know of
    it after `since`: the newest price, if it is below the one before.
    """
    known = PriceChange.objects.filter(product=OuterRef("product"))
    later = known.filter(
        Q(occurred_at__gt=OuterRef("occurred_at"))
        | Q(occurred_at=OuterRef("occurred_at"), id__gt=OuterRef("id"))
    )
    before = known.filter(occurred_at__lte=OuterRef("occurred_at")).exclude(pk=OuterRef("pk"))
    return PriceChange.objects.annotate(
        was=Subquery(before.order_by("-occurred_at", "-id").values("price")[:1])
    ).filter(
        ~Exists(later),
        Exists(Product.objects.buyable().filter(pk=OuterRef("product"))),
        price__lt=F("was"),
        recorded_at__gt=since,
        recorded_at__lte=now,
    )


def paid(contact_ids: Collection[UUID], since: datetime, now: datetime) -> list[Paid]:
    """What these people bought between two instants and kept, each line with whether it was at full price."""
    known = PriceChange.objects.filter(
        product=OuterRef("product"), occurred_at__lte=OuterRef("occurred_at")
    ).order_by("-occurred_at", "-id")
    lines = (
        OrderLine.objects.filter(contact__in=contact_ids, occurred_at__gt=since, occurred_at__lte=now)
        .exclude(order__status__in=[Order.Status.CANCELLED, Order.Status.REFUNDED])
        .annotate(was_price=Subquery(known.values("price")[:1]))
        .annotate(was_list_price=Subquery(known.values("list_price")[:1]))
        .select_related("order")
        .order_by("occurred_at", "id")
    )
    return [
        Paid(
            contact_id=line.contact_id,
            product_id=line.product_id,
            order_id=line.order_id,
            at=line.occurred_at,
            unit_price=line.unit_price,
            at_full_price=not line.order.coupon_code
            and line.order.discount <= 0
            and line.unit_price >= _reference(line, line.was_price, line.was_list_price),
        )
        for line in lines
    ]


def _reference(line: OrderLine, price: Decimal | None, list_price: Decimal | None) -> Decimal:
    """The price at which nothing is off."""
    known = line.list_price or list_price or price
    return known if known is not None else Decimal(0)
