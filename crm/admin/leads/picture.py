"""A definition to look at: its wordings in words, how many stand at each stage, how scores are spread."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from crm.audience.leads import scoring
from crm.audience.leads.spread import Spread
from crm.kernel import rules
from crm.models import Lead, LeadDefinition, LeadVersion

BARS = 12


@dataclass(frozen=True)
class Line:
    """One line of a score in words."""

    words: str
    points: int
    fades: str


@dataclass(frozen=True)
class Wording:
    """One version in words."""

    version: LeadVersion
    is_lead: str
    enter_nurturing: str
    sales_ready: str
    lines: list[Line]


@dataclass(frozen=True)
class Bar:
    """So many leads whose score lies between two numbers, both included."""

    low: int
    high: int
    people: int

    @property
    def label(self) -> str:
        return between(self.low, self.high)


def wording(version: LeadVersion) -> Wording:
    lines = [
        Line(scoring.named(line), line.points, fades(line.halves_days)) for line in version.score_lines.all()
    ]
    return Wording(
        version, _said(version.is_lead), _said(version.enter_nurturing), _said(version.sales_ready), lines
    )


def fades(halves_days: int | None) -> str:
    if not halves_days:
        return ""
    return f"halved {'each day' if halves_days == 1 else f'every {halves_days} days'} after"


def stages(definition: LeadDefinition) -> list[dict[str, Any]]:
    """Every stage with how many stand there, the longest bar being the largest."""
    there = dict(
        Lead.objects.filter(definition=definition, ended_at=None)
        .order_by()
        .values_list("stage")
        .annotate(number=Count("pk"))
    )
    most = max(there.values(), default=0) or 1
    rows = definition.stages.order_by("position", "name")
    return [
        {"stage": stage, "people": there.get(stage.pk, 0), "percent": 100 * there.get(stage.pk, 0) // most}
        for stage in rows
    ]


def spread(definition: LeadDefinition) -> dict[str, Any] | None:
    """How the scores of today's leads are spread, as bars and as a chart of the theme."""
    found = Lead.objects.filter(definition=definition, ended_at=None).order_by().values_list("score")
    counted: dict[int, int] = dict(found.annotate(number=Count("pk")))
    if not counted:
        return None
    bars = _bars(counted)
    data = {
        "labels": [bar.label for bar in bars],
        "datasets": [
            {
                "label": "People",
                "data": [bar.people for bar in bars],
                "backgroundColor": "#c2410c",
                "maxBarThickness": 40,
                "displayYAxis": True,
            }
        ],
    }
    return {"bars": bars, "chart": json.dumps(data)}


def outcome(spread: Spread) -> list[dict[str, Any]]:
    """The bars of a wording's spread as rows of a table, the longest being the largest."""
    most = max((bar.people for bar in spread.bars), default=0) or 1
    return [
        {
            "label": between(bar.low, bar.high),
            "people": bar.people,
            "then": bar.then,
            "share": "" if bar.share is None else f"{bar.share:.1%}",
            "percent": 100 * bar.people // most,
        }
        for bar in spread.bars
    ]


def between(low: int, high: int) -> str:
    """A range of scores in words."""
    words = [str(score).replace("-", "−") for score in (low, high)]
    return words[0] if low == high else " to ".join(words)


def _bars(counted: dict[int, int]) -> list[Bar]:
    low, high = min(counted), max(counted)
    width = max(_round((high - low + 1) / BARS), 1)
    first = low // width * width
    bars = []
    for start in range(first, high + 1, width):
        people = sum(number for score, number in counted.items() if start <= score < start + width)
        bars.append(Bar(start, start + width - 1, people))
    return bars


def _round(width: float) -> int:
    """The next width people can read: 1, 2, 5, 10, 20, 50…"""
    size = 1
    while True:
        for step in (1, 2, 5):
            if step * size >= width:
                return step * size
        size *= 10


def _said(rule: Any) -> str:
    return "" if rules.is_blank(rule) else rules.sentence(rule)
