"""How sales answers: what became of hand-overs, how fast, by colleague; and why leads were refused.

Touched is a lead once a colleague, whoever it was, turned to the person after the hand-over: called, met or
wrote to them (see `crm.kernel.touches`). Times are counted in the hours the desk is open.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from django.contrib.auth import get_user_model
from django.db.models import Count, QuerySet

from crm.kernel import touches
from crm.models import HandOver
from crm.shop.hours import DeskHours

Answer = HandOver.Answer


@dataclass
class Pace:
    """One colleague's answers, or everybody's. Spans are in desk hours; None where there is none."""

    name: str
    answers: Counter[str] = field(default_factory=Counter)
    to_answer: list[timedelta] = field(default_factory=list)
    to_touch: list[timedelta] = field(default_factory=list)
    in_time: int = 0
    due: int = 0

    @property
    def asked(self) -> int:
        return self.answers.total()

    @property
    def median_answer(self) -> timedelta | None:
        return _middle(self.to_answer)

    @property
    def median_touch(self) -> timedelta | None:
        return _middle(self.to_touch)

    @property
    def share_in_time(self) -> int | None:
        """Percent of those whose time for the first call is over, or who were called."""
        return round(100 * self.in_time / self.due) if self.due else None


@dataclass(frozen=True)
class Report:
    """What became of the hand-overs of a while."""

    whole: Pace
    by_owner: list[Pace]
    refused: list[tuple[str, int]]
    target: timedelta


def report(start: datetime, now: datetime) -> Report:
    """Of hand-overs since `start`, in a fixed number of queries."""
    rows = HandOver.objects.filter(occurred_at__gte=start, occurred_at__lte=now)
    hours = DeskHours.now_set()
    target = timedelta(hours=hours.desk.touch_hours)
    names = {user.pk: str(user) for user in get_user_model().objects.filter(pk__in=rows.values("owner"))}
    whole, paces = Pace("everybody"), defaultdict[int | None, Pace](lambda: Pace(""))
    for owner_id, answer, at, answered_at, touched_at in _measured(rows):
        paces[owner_id].name = names.get(owner_id, "nobody") if owner_id else "nobody"
        for pace in (whole, paces[owner_id]):
            _count(pace, answer, at, answered_at, touched_at, hours, target, now)
    return Report(
        whole, sorted(paces.values(), key=lambda pace: (-pace.asked, pace.name)), _why(rows), target
    )


def _measured(
    rows: QuerySet[HandOver],
) -> Iterator[tuple[int | None, str, datetime, datetime | None, datetime | None]]:
    named = ("owner_id", "answer", "occurred_at", "answered_at", "touched_at")
    yield from (
        rows.annotate(touched_at=touches.first_since("occurred_at")).order_by().values_list(*named).iterator()
    )


def _count(
    pace: Pace,
    answer: str,
    at: datetime,
    answered_at: datetime | None,
    touched_at: datetime | None,
    hours: DeskHours,
    target: timedelta,
    now: datetime,
) -> None:
    pace.answers[answer] += 1
    if answer in (Answer.ACCEPTED, Answer.REFUSED) and answered_at:
        pace.to_answer.append(hours.between(at, answered_at))
    if answer in (Answer.PASSED, Answer.OVERTAKEN):
        return
    # A touch of later than now, as a look back sees it, was not made yet.
    if touched_at is not None and touched_at <= now:
        span = hours.between(at, touched_at)
        pace.to_touch.append(span)
        pace.due += 1
        pace.in_time += span <= target
    elif answer != Answer.REFUSED and hours.between(at, now) > target:
        pace.due += 1


def _middle(spans: list[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(span.total_seconds() for span in spans)) if spans else None


def _why(rows: QuerySet[HandOver]) -> list[tuple[str, int]]:
    """Why leads were refused, the most frequent reason first."""
    refused = rows.filter(answer=Answer.REFUSED).order_by().values_list("reason")
    counted = refused.annotate(number=Count("pk")).order_by("-number", "reason")
    labels = dict(HandOver.Reason.choices)
    return [(str(labels.get(reason, "no reason given")), number) for reason, number in counted]
