"""When a segment is refreshed as a whole: an interval or a crontab of django-celery-beat, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django_celery_beat.models import CrontabSchedule, IntervalSchedule

from crm.models import Segment

BY_DEFAULT = timedelta(hours=1)

DAY, WORKDAYS, WEEK, OWN, KEPT = "day", "workdays", "week", "own", "kept"
INTERVALS = {
    "5m": (5, IntervalSchedule.MINUTES, "every 5 minutes"),
    "15m": (15, IntervalSchedule.MINUTES, "every 15 minutes"),
    "1h": (1, IntervalSchedule.HOURS, "every hour"),
}
CHOICES = [
    *((key, words) for key, (_number, _period, words) in INTERVALS.items()),
    (DAY, "every day at…"),
    (WORKDAYS, "Monday to Friday at…"),
    (WEEK, "once a week, on a weekday at…"),
    (OWN, "by a crontab of my own"),
]
WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_WORKDAYS = "1-5"


@dataclass(frozen=True)
class Plan:
    """How often, as a form says it. `every` is a key of CHOICES, or KEPT where none of them says what is
    stored; the rest is what some of them need.
    """

    every: str = "1h"
    at: time = time(6)
    weekday: int = 1
    crontab: str = ""


def next_at(segment: Segment, now: datetime) -> datetime:
    """The next whole refresh after `now`; hourly where nothing was said."""
    if segment.crontab is not None:
        start, delta, _asked = segment.crontab.schedule.remaining_delta(now)
        return start + delta
    if segment.interval is not None:
        return now + segment.interval.schedule.run_every
    return now + BY_DEFAULT


def plan_of(segment: Segment) -> Plan:
    """What the form shows of a stored schedule."""
    cron = segment.crontab
    if cron is None:
        row = segment.interval
        return Plan() if row is None else Plan(next((key for key in INTERVALS if _is(row, key)), KEPT))
    typed = " ".join([cron.minute, cron.hour, cron.day_of_month, cron.month_of_year, cron.day_of_week])
    once_a_day = cron.minute.isdecimal() and cron.hour.isdecimal()
    if not once_a_day or (cron.day_of_month, cron.month_of_year) != ("*", "*"):
        return Plan(OWN, crontab=typed)
    at, on = time(int(cron.hour), int(cron.minute)), cron.day_of_week
    if on == "*":
        return Plan(DAY, at, crontab=typed)
    if on == _WORKDAYS:
        return Plan(WORKDAYS, at, crontab=typed)
    if on.isdecimal() and int(on) < len(WEEKDAYS):
        return Plan(WEEK, at, int(on), typed)
    return Plan(OWN, crontab=typed)


def keep(segment: Segment, plan: Plan, zone: str, now: datetime) -> None:
    """Give the segment the row of this schedule, made where there is none yet. Does not save the segment."""
    segment.interval = segment.crontab = None
    if plan.every in INTERVALS:
        number, period, _words = INTERVALS[plan.every]
        segment.interval = _the(IntervalSchedule, every=number, period=period)
    else:
        segment.crontab = _the(CrontabSchedule, **_fields(plan), timezone=ZoneInfo(zone))
    segment.due_at = next_at(segment, now)


def in_words(segment: Segment) -> str:
    """How often it is refreshed: "every day at 06:00"."""
    plan = plan_of(segment)
    if plan.every in INTERVALS:
        return INTERVALS[plan.every][2]
    if plan.every == DAY:
        return f"every day at {plan.at:%H:%M}"
    if plan.every == WORKDAYS:
        return f"Monday to Friday at {plan.at:%H:%M}"
    if plan.every == WEEK:
        return f"every {WEEKDAYS[plan.weekday]} at {plan.at:%H:%M}"
    if plan.every == KEPT and segment.interval is not None:
        return f"every {segment.interval.every} {segment.interval.period}"
    return f"by the crontab {plan.crontab}"


def check(plan: Plan, now: datetime) -> None:
    """Raises ValidationError where the schedule can never come."""
    row = CrontabSchedule(**_fields(plan), timezone=ZoneInfo("UTC"))
    try:
        row.clean_fields()
        row.schedule.remaining_delta(now)
    except ValidationError as error:
        raise ValidationError([f"The crontab cannot be read: {text}" for text in error.messages]) from error
    except (ValueError, RuntimeError, OverflowError) as error:
        raise ValidationError("By this crontab it would never be refreshed.") from error


def _fields(plan: Plan) -> dict[str, str]:
    names = ["minute", "hour", "day_of_month", "month_of_year", "day_of_week"]
    if plan.every == OWN:
        parts = plan.crontab.split()
        if len(parts) != len(names):
            raise ValidationError("A crontab has five parts: minute, hour, day, month, weekday.")
    else:
        on = {DAY: "*", WORKDAYS: _WORKDAYS, WEEK: str(plan.weekday)}[plan.every]
        parts = [str(plan.at.minute), str(plan.at.hour), "*", "*", on]
    return dict(zip(names, parts, strict=True))


def _is(row: IntervalSchedule, key: str) -> bool:
    return (row.every, row.period) == INTERVALS[key][:2]


def _the(model: Any, **values: Any) -> Any:
    # The table has no unique key, so that there may be several of the same: the first will do.
    return model.objects.filter(**values).order_by("pk").first() or model.objects.create(**values)
