"""How the scores of a wording spread, and what became of those who had them a month ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from crm.audience.leads import scoring
from crm.audience.leads.people import in_time, known
from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import LeadVersion, Order, Stage, StageMove

AGO = timedelta(days=30)
SECONDS = 10.0
_MOST_BARS = 12
_WIDTHS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 100_000)


@dataclass(frozen=True)
class Bar:
    """Scores from `low` to `high`: how many leads have one now, how many had a month ago and bought since."""

    low: int
    high: int
    people: int = 0
    then: int = 0
    bought: int = 0

    @property
    def share(self) -> float | None:
        """Which share of those who had such a score a month ago has bought since."""
        return self.bought / self.then if self.then else None


@dataclass(frozen=True)
class Spread:
    """The bars from low to high; nothing where there was no time or the wording cannot be read."""

    bars: tuple[Bar, ...] = ()
    since: datetime | None = None
    is_whole: bool = True


def score_spread(version: LeadVersion, now: datetime, *, seconds: float = SECONDS) -> Spread:
    """By the wording, published or not: the scores now of who is a lead now; and the scores of 30 days ago of
    who was one then, with how many bought, or came to a stage that means *bought*, since.
    """
    lines = scoring.lines_of(version)
    if rules.problems(version.is_lead) or any(rules.problems(line.rule) for line in lines):
        return Spread()
    then = now - AGO
    ends = monotonic() + seconds
    have: dict[int, int] = {}
    had: dict[int, tuple[int, int]] = {}
    whole = in_time(ends, lambda: have.update(_counted(version, lines, now, Scope(current=True))))
    whole &= in_time(ends, lambda: had.update(_followed(version, lines, then, now)))
    return Spread(_bars(have, had), then, whole)


def _scored(version: LeadVersion, lines: Any, at: datetime, scope: Scope) -> QuerySet[Any]:
    meant = known(at).filter(rules.compile(version.is_lead, at, scope), is_test=False).order_by()
    return meant.annotate(scored=scoring.points(lines, at, scope))


def _counted(version: LeadVersion, lines: Any, at: datetime, scope: Scope) -> dict[int, int]:
    rows = _scored(version, lines, at, scope).values("scored").annotate(number=Count("pk"))
    return dict(rows.values_list("scored", "number"))


def _followed(version: LeadVersion, lines: Any, then: datetime, now: datetime) -> dict[int, tuple[int, int]]:
    orders = Order.objects.filter(contact=OuterRef("pk"), occurred_at__gt=then, occurred_at__lte=now)
    won = StageMove.objects.filter(
        contact=OuterRef("pk"),
        definition=version.definition_id,
        to_stage__meaning=Stage.Meaning.WON,
        occurred_at__gt=then,
        occurred_at__lte=now,
    )
    bought = Q(Exists(orders.exclude(status=Order.Status.CANCELLED))) | Q(Exists(won))
    rows = _scored(version, lines, then, Scope()).values("scored")
    counted = rows.annotate(number=Count("pk"), bought=Count("pk", filter=bought))
    found = counted.values_list("scored", "number", "bought")
    return {points: (number, some) for points, number, some in found}


def _bars(have: dict[int, int], had: dict[int, tuple[int, int]]) -> tuple[Bar, ...]:
    every = have.keys() | had.keys()
    if not every:
        return ()
    low, high = min(every), max(every)
    width = next((wide for wide in _WIDTHS if (high - low) // wide < _MOST_BARS - 1), _WIDTHS[-1])
    first = low // width * width
    bars = []
    for start in range(first, high + 1, width):
        within = [points for points in every if start <= points < start + width]
        bars.append(
            Bar(
                start,
                start + width - 1,
                sum(have.get(points, 0) for points in within),
                sum(had.get(points, (0, 0))[0] for points in within),
                sum(had.get(points, (0, 0))[1] for points in within),
            )
        )
    return tuple(bars)
