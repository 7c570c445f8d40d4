"""Orders that came in by mistake, taken out again or made what they were, and their people counted anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.models import Order, OrderLine, OutsideId
from crm.models.writing import update_rows
from crm.people import engagement
from crm.shop import bought
from crm.shop.intake import ORDER

LINE = ("sku", "name", "quantity", "unit_price", "list_price")


@dataclass(frozen=True)
class Was:
    """What an order was: its fields by name and, where they were replaced, its lines (`LINE`, and the
    product's key as `product_id`). `said_at`: when the shop said what changed it; what it said since stands.
    """

    fields: Mapping[str, Any]
    lines: list[dict[str, Any]] | None
    said_at: datetime


def take_out(order_ids: Collection[UUID]) -> None:
    """Delete orders with their lines and what the outside calls them, and count their people anew."""
    orders = Order.objects.filter(pk__in=order_ids)
    told = list(orders.values_list("contact_id", "source", "external_id"))
    people = {contact_id for contact_id, _, _ in told}
    engagement.hold(people)
    for source in sorted({source for _, source, _ in told}):
        theirs = [external_id for _, where, external_id in told if where == source]
        OutsideId.objects.filter(kind=ORDER, source=source, external_id__in=theirs).delete()
    orders.delete()
    _recount(people)


def put_back(was: Mapping[UUID, Was]) -> set[UUID]:
    """Make orders what they were, where nothing was said of them since. Returns which."""
    people = set(Order.objects.filter(pk__in=was).values_list("contact_id", flat=True))
    engagement.hold(people)
    back = [
        order
        for order in Order.objects.filter(pk__in=was).order_by("pk").select_for_update(no_key=True)
        if order.source_at == was[order.pk].said_at
    ]
    names: set[str] = set()
    for order in back:
        for name, value in was[order.pk].fields.items():
            field: Any = Order._meta.get_field(name)
            setattr(order, name, field.to_python(value))
            names.add(name)
    if names:
        update_rows(back, *sorted(names))
    relined = [order for order in back if was[order.pk].lines is not None]
    OrderLine.objects.filter(order__in=relined).delete()
    OrderLine.objects.bulk_create(
        [
            OrderLine(contact_id=order.contact_id, order=order, occurred_at=order.occurred_at, **line)
            for order in relined
            for line in was[order.pk].lines or ()
        ],
        batch_size=1000,
    )
    _recount(people)
    return {order.pk for order in back}


def _recount(people: Collection[UUID]) -> None:
    engagement.recount_orders(people)
    bought.recount(people)
