"""The customers of CDNow (Fader and Hardie's published record), told to the product as its shop would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice

from crm.kernel.work import in_batches
from crm.people.identity import Known, resolve
from crm.shop.intake import OrderIn, record_orders
from tests.shared import shared

SOURCE = "cdnow"
WEEK_39 = datetime(1997, 10, 1, tzinfo=UTC)
"""As of the end of 30 September 1997; the record ends on 30 June 1998, week 78."""


def purchases(customers: int | None = None) -> dict[str, list[tuple[date, Decimal]]]:
    """Each customer's orders as recorded; the first so many customers."""
    found: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    with shared("transactions/cdnow_odd_customers.txt").open() as lines:
        for line in islice(lines, 1, None):
            customer, day, _number, value = line.split()
            if customers is not None and len(found) == customers and customer not in found:
                break
            found[customer].append((date(int(day[:4]), int(day[4:6]), int(day[6:])), Decimal(value)))
    return dict(found)


def load(record: dict[str, list[tuple[date, Decimal]]], until: datetime = WEEK_39) -> dict[str, object]:
    """All orders before an instant, through the shop's intake, as history. Returns whose contact is whose."""
    told = list(_orders(record, until))
    for batch in in_batches(told, 2_000):
        record_orders(batch, batch[-1].placed_at, source=SOURCE, is_backfill=True)
    known = [Known(external_id=customer) for customer in record]
    return dict(zip(record, resolve(known, until, source=SOURCE), strict=True))


def _orders(record: dict[str, list[tuple[date, Decimal]]], until: datetime) -> Iterator[OrderIn]:
    everything = sorted(
        (day, customer, place, value)
        for customer, bought in record.items()
        for place, (day, value) in enumerate(bought)
    )
    for day, customer, place, value in everything:
        at = datetime.combine(day, time(12), tzinfo=UTC)
        if at < until:
            yield OrderIn(f"{customer}-{place}", at, value, known=Known(external_id=customer), source_at=at)
