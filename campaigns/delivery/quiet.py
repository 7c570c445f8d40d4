"""The hours of the day in which messages may leave, where each person is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    TimeField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, NullIf
from django.db.models.lookups import GreaterThanOrEqual

from campaigns.models import FrequencySettings

_DAY = timedelta(days=1)
_RULES = FrequencySettings.objects.filter(pk=1)


def opens_at(zone: ZoneInfo, now: datetime, rules: FrequencySettings) -> datetime | None:
    """When messages may leave again in this zone; nothing where they may leave now."""
    local = now.astimezone(zone)
    if rules.allowed_from <= local.time() < rules.allowed_until:
        return None
    day = local.date() if local.time() < rules.allowed_from else local.date() + _DAY
    return datetime.combine(day, rules.allowed_from, tzinfo=zone).astimezone(UTC)


def known_to_the_database(zone: ZoneInfo) -> str:
    """The zone's name for the fence, which must not stumble: UTC where the database has no such zone."""
    return zone.key if zone.key in _zones_of_the_database() else "UTC"


@cache
def _zones_of_the_database() -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        return frozenset(name for (name,) in cursor.fetchall())


def is_quiet(now: datetime) -> Q:
    """The deliveries that keep quiet hours and whose person has them at `now`; for the fence."""
    time = _time_of_day(OuterRef("quiet_zone"), now)
    closed = _RULES.filter(Q(allowed_from__gt=time) | Q(allowed_until__lte=time))
    return ~Q(quiet_zone="") & Q(Exists(closed))


def opening(now: datetime) -> Combinable:
    """When a delivery that meets quiet hours at `now` may leave; for the fence."""
    late = GreaterThanOrEqual(
        _time_of_day(F("quiet_zone"), now), Subquery(_RULES.values("allowed_until"), TimeField())
    )
    parts = [
        Func(Value("day"), _local(F("quiet_zone"), now), function="date_trunc"),
        Subquery(_RULES.values("allowed_from"), TimeField()),
        Case(When(late, then=Value(_DAY)), default=Value(timedelta())),
    ]
    there = Func(*parts, template="(%(expressions)s)", arg_joiner=" + ", output_field=DateTimeField())
    return Func(_named(F("quiet_zone")), there, function="timezone", output_field=DateTimeField())


def _named(zone: Any) -> Combinable:
    # A blank zone is nobody's local time, not an error: the database may ask for it before it looks at which.
    return NullIf(zone, Value(""), output_field=CharField())


def _local(zone: Any, now: datetime) -> Combinable:
    moment = Value(now, DateTimeField())
    return Func(_named(zone), moment, function="timezone", output_field=DateTimeField())


def _time_of_day(zone: Any, now: datetime) -> Combinable:
    return Cast(_local(zone, now), TimeField())
