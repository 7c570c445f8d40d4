"""The stock memory: from when on each product could be bought again, and from when on no longer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from crm.kernel import ids
from crm.models import Product, StockChange

type Change = tuple[UUID, bool, datetime]
"""A product, whether it can be bought, and from when on."""


def remember(changes: Iterable[Change], now: datetime) -> None:
    """Write from when on products can be bought, or no longer; call it in the transaction of the change."""
    rows = [
        StockChange(
            id=ids.uuid7(now),
            product_id=product_id,
            can_be_bought=can_be_bought,
            occurred_at=min(at, now),
            recorded_at=now,
        )
        for product_id, can_be_bought, at in changes
    ]
    StockChange.objects.bulk_create(rows, batch_size=1000)


def back(since: datetime, now: datetime) -> QuerySet[StockChange]:
    """The last return of each product that we came to know of after `since`, and that still holds."""
    later = StockChange.objects.filter(
        Q(recorded_at__gt=OuterRef("recorded_at"))
        | Q(recorded_at=OuterRef("recorded_at"), occurred_at__gt=OuterRef("occurred_at")),
        product=OuterRef("product"),
    )
    here = Product.objects.buyable().filter(pk=OuterRef("product"))
    return StockChange.objects.filter(
        ~Exists(later),
        Exists(here),
        can_be_bought=True,
        recorded_at__gt=since,
        recorded_at__lte=now,
    )
