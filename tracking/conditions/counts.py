"""Who did something at least so often, by daily counts: the same people as by the acts, found sooner.

Counts know whole days. Where a stretch of time begins or ends within a day, whoever is not settled by the
days around is settled by their own acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateTimeField,
    Func,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, JSONObject
from django.db.models.lookups import GreaterThanOrEqual

from crm.conditions.spans import Span, begins
from tracking.models import Event

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Days:
    """The days (UTC) that a stretch of time touches, and those it covers whole; blank: without an end."""

    first: date | None
    last: date | None
    first_whole: date | None
    last_whole: date | None

    @property
    def are_whole(self) -> bool:
        return (self.first, self.last) == (self.first_whole, self.last_whole)

    @property
    def touched(self) -> Q:
        return _between(self.first, self.last)

    @property
    def covered(self) -> Q:
        return _between(self.first_whole, self.last_whole)

    @property
    def at_the_ends(self) -> Q:
        """Acts (by `occurred_at`) on the days that are not covered whole."""
        if self.are_whole:
            return Q(pk__in=[])
        ends = Q()
        if self.first_whole and self.first != self.first_whole:
            ends |= Q(occurred_at__lt=_midnight(self.first_whole))
        if self.last_whole and self.last != self.last_whole:
            ends |= Q(occurred_at__gte=_midnight(self.last_whole + _DAY))
        return ends


def days_of(span: Span, at: datetime) -> Days:
    start, end = _instants(span, at)
    first = first_whole = last = last_whole = None
    if start:
        first = start.date()
        first_whole = first if start.time() == time() else first + _DAY
    if end:
        last = (end - _INSTANT).date()
        last_whole = last if end.time() == time() else last - _DAY
    return Days(first, last, first_whole, last_whole)


def at_least(number: int, counts: QuerySet[Any], events: QuerySet[Event], days: Days) -> QuerySet[Any]:
    """The contacts of those who did so, of everybody's `counts`; `events` are the same acts one by one."""
    counts = counts.filter(days.touched).order_by()
    if days.are_whole and number == 1:
        return counts.values("contact_id")
    people = counts.values("contact_id")
    if days.are_whole:
        return people.annotate(number_of=Sum("number")).filter(number_of__gte=number).values("contact_id")
    own = events.filter(contact_id=OuterRef("contact_id")).order_by().values("contact_id")
    # Bare, not within a COALESCE: Django would group by that, and it would be counted for every row.
    own_number = Subquery(own.annotate(number_of=Count("pk")).values("number_of"))
    return (
        people.annotate(sure=Coalesce(Sum("number", filter=days.covered), 0), most=Sum("number"))
        .filter(
            Case(
                When(sure__gte=number, then=Value(True)),
                When(most__lt=number, then=Value(False)),
                default=GreaterThanOrEqual(own_number, number),
                output_field=BooleanField(),
            )
        )
        .values("contact_id")
    )


def told(counts: QuerySet[Any], events: QuerySet[Event], days: Days) -> JSONObject:
    """Over contacts: how often each did so and when last, of the same `counts` and `events`, without reading
    the acts of more than the days at the ends and the last day.
    """
    mine = counts.filter(days.covered, contact_id=OuterRef("pk")).order_by().values("contact_id")
    whole = Subquery(mine.annotate(number_of=Sum("number")).values("number_of"))
    own = events.filter(days.at_the_ends, contact_id=OuterRef("pk")).order_by().values("contact_id")
    single = Subquery(own.annotate(number_of=Count("pk")).values("number_of"))
    last_day = counts.filter(days.covered, contact_id=OuterRef(OuterRef("pk"))).order_by("-on_day")
    begins = _Begins(Subquery(last_day.values("on_day")[:1]))
    latest = events.filter(contact_id=OuterRef("pk"), occurred_at__gte=begins).order_by("-occurred_at")
    return JSONObject(
        number=Coalesce(whole, 0) + Coalesce(single, 0),
        last=Greatest(
            Subquery(latest.values("occurred_at")[:1]),
            Subquery(own.annotate(last=Max("occurred_at")).values("last")),
        ),
    )


class _Begins(Func):
    """The first instant of a day in UTC."""

    template = "(%(expressions)s::timestamp AT TIME ZONE 'UTC')"
    output_field = DateTimeField()


def left_behind(counts: QuerySet[Any], days: int, since: datetime, at: datetime) -> QuerySet[Any]:
    """The contacts with counts on the days that time moved out of the last `days` between two instants."""
    age = timedelta(days=days)
    passed = {"on_day__gte": _utc(since - age).date(), "on_day__lte": _utc(at - age).date()}
    return counts.filter(**passed).order_by().values("contact_id")


def _instants(span: Span, at: datetime) -> tuple[datetime | None, datetime | None]:
    """The first instant of a stretch of time, and the first one after it."""
    if span.within_days:
        return _utc(at - timedelta(days=span.within_days)) + _INSTANT, None
    return (
        _utc(begins(span.from_day)) if span.from_day else None,
        _utc(begins(span.to_day + _DAY)) if span.to_day else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _between(first: date | None, last: date | None) -> Q:
    found = Q()
    if first:
        found &= Q(on_day__gte=first)
    if last:
        found &= Q(on_day__lte=last)
    return found
