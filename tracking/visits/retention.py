"""What is kept for how long: raw rows are read once, unknown visitors fade, months are made ahead."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from tracking.models import InboundEvent, Visitor, VisitorCart, VisitorEvent

APPLIED_KEPT = timedelta(days=7)
PARKED_KEPT = timedelta(days=90)
VISITORS_KEPT = timedelta(days=30)
MONTHS_AHEAD = 3
_AT_ONCE = 20_000


def make_partitions(now: datetime) -> None:
    """The tables of this month's events and of the next ones'."""
    month = now.date().replace(day=1)
    with connection.cursor() as cursor:
        for _ in range(MONTHS_AHEAD + 1):
            cursor.execute("SELECT tracking_make_partition(%s)", [month])
            month = _next(month)


def forget(now: datetime) -> int:
    """Delete what has been kept for its time, a slice of each at once. Returns how many rows."""
    raw = InboundEvent.objects.filter(
        Q(state=InboundEvent.State.APPLIED, received_at__lt=now - APPLIED_KEPT)
        | Q(state=InboundEvent.State.PARKED, received_at__lt=now - PARKED_KEPT)
    )
    faded = now - VISITORS_KEPT
    deleted = 0
    every: tuple[QuerySet[Any], ...] = (
        raw.order_by("received_at"),
        VisitorEvent.objects.filter(recorded_at__lt=faded),
        VisitorCart.objects.filter(changed_at__lt=faded),
        Visitor.objects.filter(contact=None, last_seen_at__lt=faded),
    )
    for rows in every:
        old = list(rows.values_list("pk", flat=True)[:_AT_ONCE])
        deleted += rows.model._base_manager.filter(pk__in=old).delete()[0]
    return deleted


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
