"""How people pace their orders: the usual gap, the silence since, the money a year. As kept now, or counted
from the orders that were known at an instant.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DecimalField,
    F,
    FloatField,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Greatest, JSONObject, Round, TruncDate

from crm.audience.occasions import YEAR_DAYS
from crm.audience.rhythm import then
from crm.models import Clock, Order, ShopRhythm, Standing
from crm.shop.settings import this_shop

_MONEY = DecimalField(max_digits=20, decimal_places=2)


class _Days(Func):
    """Days between two instants, with their fraction."""

    template = "(extract(epoch FROM (%(expressions)s))::float8 / 86400)"
    arg_joiner = " - "
    output_field = FloatField()


class _Numeric(Func):
    """A fraction as a number with all its digits, as money is reckoned with."""

    template = "((%(expressions)s)::numeric)"
    output_field = DecimalField()


def kept(at: datetime) -> QuerySet[Any]:
    """Buyers as their standing has it: `gaps`, `usual`, `silent` and `at_stake`."""
    rows = Standing.objects.filter(clock=Clock.PURCHASE)
    return rows.annotate(usual=F("usual_gap_days"), silent=silent("last_at", at))


def told(at: datetime) -> QuerySet[Any]:
    """The standing of the contact in the query around, as one document `told`."""
    rows = Standing.objects.filter(contact=OuterRef("pk")).annotate(silent=silent("last_at", at))
    return rows.annotate(
        told=JSONObject(
            state="state",
            since="since",
            clock="clock",
            gaps="gaps",
            usual="usual_gap_days",
            silent="silent",
            last="last_at",
            at_stake="at_stake",
            cooling_at="cooling_at",
            at_risk_at="at_risk_at",
            lost_at="lost_at",
        )
    )


def counted(orders: QuerySet[Order], at: datetime) -> QuerySet[Any]:
    """The same from orders, a row each contact, as known at an instant; `told` besides."""
    zone, rhythm = ZoneInfo(this_shop().time_zone), then(at)
    known = orders.filter(
        occurred_at__lte=at, recorded_at__lte=at, contact__is_test=False, contact__merged_into=None
    ).exclude(status=Order.Status.CANCELLED)
    days = (
        known.order_by()
        .values("contact_id")
        .annotate(
            gaps=Count(TruncDate("occurred_at", tzinfo=zone), distinct=True) - 1,
            paid=Sum(F("total") - F("refunded"), output_field=_MONEY),
            first=Min("occurred_at"),
            last=Max("occurred_at"),
        )
    )
    span = Case(
        When(gaps=0, then=Value(0.0)), default=_Days(F("last"), F("first")), output_field=FloatField()
    )
    gaps = Cast("gaps", FloatField())
    paced = days.annotate(
        usual=Greatest(
            Value(1.0), (span + Value(rhythm.pull * rhythm.usual_gap_days)) / (gaps + Value(rhythm.pull))
        ),
        silent=silent("last", at),
    )
    return paced.annotate(at_stake=_at_stake(rhythm)).annotate(
        told=JSONObject(
            clock=Value(Clock.PURCHASE.value),
            gaps="gaps",
            usual="usual",
            silent="silent",
            last="last",
            at_stake="at_stake",
        )
    )


def words(value: dict[str, Any]) -> str:
    """ "usually buys every 31 days, now 52", from what `told` holds or a standing as a dictionary."""
    days = int(value["silent"])
    ago = "today" if days == 0 else "1 day ago" if days == 1 else f"{days} days ago"
    if value["clock"] == Clock.ENGAGEMENT:
        return f"never bought, last here {ago}"
    if not value["gaps"]:
        return f"bought once, {ago}"
    usual = round(value["usual"])
    return f"usually buys every {'day' if usual == 1 else f'{usual} days'}, now {days}"


def of(row: Standing, now: datetime) -> dict[str, Any]:
    """One standing as `words` takes it."""
    days = max((now - row.last_at) / timedelta(days=1), 0)
    return {"clock": row.clock, "gaps": row.gaps, "usual": row.usual_gap_days, "silent": days}


def overdue(factor: float) -> Q:
    """Silent for at least so many times the usual gap."""
    return Q(silent__gte=F("usual") * Value(factor, output_field=FloatField()))


def _at_stake(rhythm: ShopRhythm) -> Round:
    comes_back = Case(
        When(gaps=0, then=Value(rhythm.comes_back)), default=Value(1.0), output_field=FloatField()
    )
    a_year = comes_back * Value(YEAR_DAYS) / F("usual")
    average = Greatest(F("paid"), Value(Decimal(0)), output_field=_MONEY) / (F("gaps") + 1)
    return Round(_Numeric(average) * _Numeric(a_year), 2, output_field=_MONEY)


def silent(last: str, at: datetime) -> _Days:
    """Days from the instant in a column to this one."""
    return _Days(Value(at, output_field=DateTimeField()), F(last))
