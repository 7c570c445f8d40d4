"""What stands beside a segment's form: its size over time, who came and went, and what leans on it."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.timezone import localtime

from crm.access import reach
from crm.audience import schedules, uses
from crm.kernel import rules
from crm.models import Segment, SegmentMembership, SegmentSize

CHART_DAYS = 90
SHOWN = 20
_CHART_OPTIONS = json.dumps(
    {
        "maintainAspectRatio": False,
        "animation": False,
        "elements": {"point": {"hitRadius": 12}, "line": {"borderWidth": 2}},
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {"grid": {"display": False}, "ticks": {"maxTicksLimit": 8, "maxRotation": 0}},
            "y": {"beginAtZero": True, "ticks": {"precision": 0, "maxTicksLimit": 6}},
        },
    }
)


def around(segment: Segment, now: datetime, *, shows_people: bool) -> dict[str, Any]:
    """Everything of the page but the form: a fixed number of queries."""
    days = sizes_by_day(segment, now)
    return {
        "segment": segment,
        "in_words": schedules.in_words(segment),
        "is_blank": rules.is_blank(segment.rule),
        "is_fixed": segment.kind == Segment.Kind.FIXED,
        "days": list(reversed(days)),
        "chart": chart(days, localtime(now).date()),
        "chart_options": _CHART_OPTIONS,
        "moves": moves(segment) if shows_people else None,
        "inside": _inside(segment) if shows_people and segment.kind == Segment.Kind.FIXED else None,
        "uses": uses.of(segment),
    }


def sizes_by_day(segment: Segment, now: datetime) -> list[dict[str, Any]]:
    """How many were in it at the end of each day something was noted, and who came and went that day."""
    rows = SegmentSize.objects.filter(segment=segment, at__gt=now - timedelta(days=CHART_DAYS), at__lte=now)
    by_day = rows.annotate(day=TruncDate("at"))
    closing = dict(by_day.order_by("day", "-at").distinct("day").values_list("day", "size"))
    counted = by_day.order_by("day").values("day").annotate(came=Sum("entered"), went=Sum("left"))
    return [row | {"size": closing[row["day"]]} for row in counted]


def chart(days: list[dict[str, Any]], today: date) -> str:
    """The days as a line up to today; between two of them the size stayed as it was."""
    if not days:
        return ""
    labels: list[str] = []
    values: list[int] = []
    sizes: dict[date, int] = {row["day"]: row["size"] for row in days}
    day, size = days[0]["day"], 0
    while day <= max(today, days[-1]["day"]):
        size = sizes.get(day, size)
        labels.append(f"{day.day} {day:%b}")
        values.append(size)
        day += timedelta(days=1)
    line: dict[str, Any] = {"label": "People", "data": values, "stepped": True}
    line |= {"borderColor": "var(--color-primary-600)", "pointRadius": 3 if len(values) == 1 else 0}
    return json.dumps({"labels": labels, "datasets": [line]})


def moves(segment: Segment) -> list[dict[str, Any]]:
    """The latest to come and to go, newest first."""
    stays = reach.seen(SegmentMembership.objects.filter(segment=segment)).select_related("contact")
    came = [(stay.entered_at, True, stay) for stay in stays.order_by("-entered_at")[:SHOWN]]
    gone = stays.filter(left_at__isnull=False).order_by("-left_at")[:SHOWN]
    went = [(stay.left_at, False, stay) for stay in gone]
    newest = sorted([*came, *went], key=lambda move: (move[0], move[2].pk), reverse=True)[:SHOWN]
    return [{"at": at, "came": is_in, "contact": stay.contact} for at, is_in, stay in newest]


def stays_of(segment: Segment, contact: UUID) -> QuerySet[SegmentMembership]:
    """When one person was in the segment, the newest stay first."""
    return SegmentMembership.objects.filter(segment=segment, contact=contact).order_by("-entered_at")


def _inside(segment: Segment) -> list[SegmentMembership]:
    stays = reach.seen(SegmentMembership.objects.filter(segment=segment, left_at=None))
    return list(stays.select_related("contact").order_by("-entered_at", "-pk")[:50])
