"""The score: points of every line whose rule is true, and less and less of them after it stopped being true.

A line that halves each *h* days is asked day by day when it last was true: less than *h* days ago is worth
all its points, less than two *h* a half, less than three a quarter, less than four an eighth, and longer ago
nothing. Where *h* is more than 15 days it is asked 60 times in all, evenly. Each line is rounded by itself (a
half away from zero), so that the parts shown add up to the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, Func, IntegerField, Q, Value, When
from django.db.models.expressions import Combinable, CombinedExpression

from crm.audience.leads.people import known
from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import LeadVersion, ScoreLine

HALVINGS = 3
MOST_LOOKS = 60


@dataclass(frozen=True)
class Score:
    """One person's score, and the lines it comes from, the largest first."""

    points: int = 0
    reasons: list[dict[str, Any]] = field(default_factory=list)


def lines_of(version: LeadVersion) -> list[ScoreLine]:
    return list(version.score_lines.all())


def named(line: ScoreLine) -> str:
    """The line as people read it: its own name, or its rule in words."""
    return line.label or rules.sentence(line.rule).removeprefix("People who ").rstrip(".")


def points(lines: Iterable[ScoreLine], at: datetime, scope: Scope | None = None) -> Combinable:
    """The score as one annotation over contacts."""
    whole: Any = Value(0)
    for line in lines:
        whole = CombinedExpression(whole, "+", _part(line, at, scope or Scope()), output_field=IntegerField())
    return whole


def parts(lines: Sequence[ScoreLine], at: datetime, scope: Scope | None = None) -> Func:
    """The points of each line as one annotation over contacts: a list, in the order of the lines."""
    each = [_part(line, at, scope or Scope()) for line in lines]
    return Func(
        *each,
        template="ARRAY[%(expressions)s]::integer[]",
        output_field=ArrayField(IntegerField()),
    )


def scores(
    lines: Sequence[ScoreLine], at: datetime, among: Sequence[UUID], *, current: bool = False
) -> dict[UUID, Score]:
    """The scores of these people as of an instant, in one query."""
    if not lines:
        return {contact_id: Score() for contact_id in among}
    asked = known(at, among).annotate(parts=parts(lines, at, Scope(current=current, among=among)))
    labels = [named(line) for line in lines]
    return {pk: _score(lines, labels, each) for pk, each in asked.values_list("pk", "parts")}


def score_of(version: LeadVersion, contact_id: UUID, at: datetime) -> Score:
    """What one person's score was, or would have been, by this wording as of an instant."""
    return scores(lines_of(version), at, [contact_id]).get(contact_id, Score())


def _score(lines: Sequence[ScoreLine], labels: Sequence[str], each: Sequence[int]) -> Score:
    reasons = [
        {"label": label, "points": got, "of": line.points}
        for line, label, got in zip(lines, labels, each, strict=True)
        if got
    ]
    reasons.sort(key=lambda reason: (-abs(int(str(reason["points"]))), str(reason["label"])))
    return Score(sum(each), reasons)


def _part(line: ScoreLine, at: datetime, scope: Scope) -> Case:
    steps = [When(rules.compile(line.rule, at, scope), then=Value(line.points))]
    if line.halves_days:
        past = replace(scope, current=False)
        for halvings, instants in _looks_back(line.halves_days, at).items():
            # Nobody earns points for a time when they were not known: "never bought" was true of them, too.
            was = Q()
            for then in instants:
                known_then = Q(created_at__lte=then, recorded_at__lte=then)
                was |= known_then & rules.compile(line.rule, then, past)
            steps.append(When(was, then=Value(halved(line.points, halvings))))
    return Case(*steps, default=Value(0), output_field=IntegerField())


def _looks_back(halves_days: int, at: datetime) -> dict[int, list[datetime]]:
    """The instants to ask about, newest first, by how often the points have been halved since."""
    half = timedelta(days=halves_days)
    step = max(timedelta(days=1), half * (HALVINGS + 1) / MOST_LOOKS)
    found: dict[int, list[datetime]] = {}
    age = step
    while age < half * (HALVINGS + 1):
        found.setdefault(age // half, []).append(at - age)
        age += step
    return found


def halved(whole: int, times: int) -> int:
    """Points after so many halvings, a half rounded away from zero."""
    return int((Decimal(whole) / 2**times).quantize(Decimal(1), ROUND_HALF_UP))
