"""Little shops whose rhythm is known by hand: people, and when they ordered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from crm.audience.rhythm import SHARES
from crm.models import ShopRhythm
from crm.people.identity import Known, resolve
from crm.shop.intake import OrderIn, record_orders

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
EARLY = datetime(2025, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    """So many days after noon of the first of January 2026."""
    return START + timedelta(days=number)


def people(*names: str, at: datetime = EARLY) -> list[UUID]:
    known = [Known(email=f"{name.lower()}@example.com", first_name=name) for name in names]
    return resolve(known, at, source="test")


def bought(
    contact_id: UUID, *days: float, now: datetime | None = None, paid: int = 50, status: str = "placed"
) -> None:
    """Orders on these days, told at once or `now`."""
    for number in days:
        order = OrderIn(
            f"{contact_id}-{number}",
            day(number),
            Decimal(paid),
            contact_id=contact_id,
            status=status,
            source_at=now or day(number),
        )
        record_orders([order], now or day(number), is_backfill=now is None)


def measured_as(gap: float = 30.0, pull: float = 1.0, comes_back: float = 0.5) -> ShopRhythm:
    """A shop whose people come every 30 days, and half of whose first-time buyers come back: 60 % of them
    within 60 days, 80 % within 80, 95 % within 95.
    """
    return ShopRhythm.objects.create(
        on_day=EARLY.date(),
        computed_at=EARLY,
        usual_gap_days=gap,
        pull=pull,
        once_cooling_days=60,
        once_at_risk_days=80,
        once_lost_days=95,
        comes_back=comes_back,
        second_days=[100 * share for share in SHARES],
        in_use_from=EARLY,
    )
