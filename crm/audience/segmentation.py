"""Keep segments: who is in one, as rows with their instants, brought up to date by one difference.

A whole refresh asks the rule of everybody, on the segment's own schedule. Between two of them a sweep asks it
again of those alone who may have changed sides: whoever something was written about, and whoever time alone
has moved. Rules with a condition that cannot tell whom time moves wait for their schedule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from crm.audience import schedules
from crm.kernel import rules
from crm.kernel.patience import TookTooLong, at_most
from crm.kernel.work import Budget
from crm.models import Contact, Segment, SegmentMembership, SegmentSize
from crm.models.writing import key_at
from crm.people import stirring

NOW = rules.Scope(current=True)
# More than this and the whole is asked again: the same people found by one scan instead of many looks.
_SWEPT_AT_MOST = 25_000
# What others stored with an instant of their own may be seen a little after it.
_OVERLAP = timedelta(minutes=15)

# A full join can only be hashed or merged. Two NOT EXISTS were as fast, until the planner took a segment for
# small that had just been filled: then it compared each with each, for hours.
_DIFFERENCE = """
    WITH meant(id) AS MATERIALIZED ({meant}),
    moved AS MATERIALIZED (
        SELECT meant.id AS came, stay.id AS stay, stay.contact_id AS went
        FROM meant FULL JOIN (
            SELECT id, contact_id FROM crm_segmentmembership
            WHERE segment_id = %s AND left_at IS NULL {only}
        ) AS stay ON stay.contact_id = meant.id
        WHERE meant.id IS NULL OR stay.id IS NULL
    ),
    gone AS (
        UPDATE crm_segmentmembership AS stay SET left_at = %s FROM moved
        WHERE stay.id = moved.stay AND stay.contact_id = moved.went AND stay.left_at IS NULL
        RETURNING 1
    ),
    come AS (
        INSERT INTO crm_segmentmembership (id, contact_id, segment_id, entered_at)
        SELECT {key}, moved.came, %s, %s FROM moved WHERE moved.came IS NOT NULL
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM come), (SELECT count(*) FROM gone)
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moved:
    """How many entered and left."""

    entered: int = 0
    left: int = 0

    @property
    def total(self) -> int:
        return self.entered + self.left


def members(rule: Any, at: datetime, scope: rules.Scope | None = None) -> QuerySet[Contact]:
    """The people a rule means, among those known by then and not merged into somebody else."""
    # Asked as of few others, not of each: whom a rule means is then read off an index, not off everybody.
    merged = Contact.objects.filter(pk=OuterRef("pk"), merged_into__isnull=False)
    known = Contact.objects.filter(~Exists(merged))
    if scope is None or not scope.current:
        known = known.filter(created_at__lte=at, recorded_at__lte=at)
    if scope is not None and scope.among is not None:
        known = known.filter(rules.AnyOf(F("pk"), scope.among))
    return known.filter(rules.compile(rule, at, scope))


def refresh(segment: Segment, now: datetime) -> int:
    """Ask the rule of everybody. Returns how many entered or left.

    A rule that cannot be read, or not within the time there is, lets nobody in and throws nobody out: the
    segment stays as it is, and says why.
    """
    started = monotonic()
    with transaction.atomic():
        _lock(segment)
        if segment.kind == Segment.Kind.FIXED:
            return _settle(segment, now, Moved(), started, whole=True)
        found = rules.problems(segment.rule)
        if found:
            return _close(segment, now, "; ".join(map(str, found)))
        try:
            with at_most(settings.REKINDLE_SEGMENT_SECONDS):
                mark = stirring.mark()
                moved = _difference(segment, now)
        except TookTooLong as error:
            return _close(segment, now, f"{error} Nobody was let in or out. A narrower rule is faster.")
        segment.marked = mark
        return _settle(segment, now, moved, started, whole=True)


def recall(segment: Segment, moments: Sequence[datetime]) -> None:
    """Fill a new segment's past: who was in at each of these moments, asked of the history, oldest first."""
    for at in sorted(moments):
        with transaction.atomic(), at_most(settings.REKINDLE_SEGMENT_SECONDS):
            moved = _difference(segment, at, scope=rules.Scope())
            segment.size += moved.entered - moved.left
            _note_size(segment, at, moved, 0.0)


def sweep(segment: Segment, now: datetime) -> int | None:
    """Ask the rule again of those alone who may have changed sides since the last time.

    None where that cannot be told, or is of so many people that the whole is asked sooner.
    """
    if segment.kind == Segment.Kind.FIXED or segment.swept_at is None or segment.problem:
        return None
    started = monotonic()
    with transaction.atomic():
        _lock(segment)
        turned = rules.drift(segment.rule, segment.swept_at - _OVERLAP, now, NOW)
        mark = stirring.mark()
        if turned is None or segment.marked > mark:
            return None
        with at_most(settings.REKINDLE_SEGMENT_SECONDS):
            asked = stirring.stirred_since(segment.marked).union(*turned)
            people: list[UUID] = list(asked.values_list("contact_id", flat=True)[: _SWEPT_AT_MOST + 1])
            if len(people) > _SWEPT_AT_MOST:
                return None
            moved = _difference(segment, now, scope=replace(NOW, among=people)) if people else Moved()
        segment.marked = mark
        return _settle(segment, now, moved, started, whole=False)


def keep_up(now: datetime, budget: Budget) -> int:
    """Refresh what is due and sweep the rest, each once; one that another process works on is left to it."""
    is_due = Q(due_at=None) | Q(due_at__lte=now)
    waiting = Segment.objects.order_by(F("due_at").asc(nulls_first=True), "pk")
    whole = list(waiting.filter(is_due).values_list("pk", flat=True))
    rest = waiting.exclude(is_due).filter(kind=Segment.Kind.DYNAMIC, problem="").order_by("swept_at", "pk")
    worked = 0
    for pk in whole:
        if not budget:
            return worked
        worked += _one(pk, refresh, now) is not None
    for pk in rest.values_list("pk", flat=True):
        if not budget:
            break
        worked += bool(_one(pk, sweep, now))
    return worked


def _one(pk: UUID, work: Callable[[Segment, datetime], int | None], now: datetime) -> int | None:
    """How many moved, or None where another works on it. One that fails says so on its own page, and the
    others go on.
    """
    with transaction.atomic():
        segment = (
            Segment.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
            .filter(pk=pk)
            .first()
        )
        if segment is None:
            return None
        try:
            with transaction.atomic():
                return work(segment, now)
        except (DatabaseError, TookTooLong) as error:
            logger.warning("The segment %s could not be refreshed: %s", segment.pk, error)
            _close(segment, now, f"It could not be refreshed: {error}"[:1000])
            return 0


def _lock(segment: Segment) -> None:
    """One at a time, and on what the one before left."""
    held = Segment.objects.select_for_update(no_key=True, of=("self",)).filter(pk=segment.pk)
    kept = held.values("marked", "swept_at", "size").first()
    for name, value in (kept or {}).items():
        setattr(segment, name, value)


def _difference(segment: Segment, now: datetime, scope: rules.Scope = NOW) -> Moved:
    """Let in and out whom the rule says, in one statement: of everybody, or of some people alone."""
    sql, params = _sql(members(segment.rule, now, scope).order_by().values("pk"))
    only, ids = "", []
    if scope.among is not None:
        only, ids = "AND contact_id = ANY(%s::uuid[])", [list(scope.among)]
    with connection.cursor() as cursor:
        if scope.among is None:
            # Who asks everybody comes by most pages of a table: going there by an index, at random, costs
            # more than the setting for small questions says.
            cursor.execute("SET LOCAL random_page_cost = 2")
        cursor.execute(
            _DIFFERENCE.format(meant=sql, only=only, key=key_at("%s::timestamptz")),
            [*params, segment.pk, *ids, now, now, segment.pk, now],
        )
        entered, left = cursor.fetchone()
    return Moved(entered, left)


def _sql(meant: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    try:
        return meant.query.sql_with_params()
    except EmptyResultSet:
        return "SELECT NULL::uuid AS id WHERE false", ()


def _close(segment: Segment, now: datetime, problem: str) -> int:
    segment.problem, segment.refreshed_at = problem, now
    segment.due_at = schedules.next_at(segment, now)
    segment.save(update_fields=["problem", "refreshed_at", "due_at"])
    return 0


def _settle(segment: Segment, now: datetime, moved: Moved, started: float, *, whole: bool) -> int:
    if whole:
        segment.size = SegmentMembership.objects.filter(segment=segment, left_at=None).count()
        segment.problem, segment.refreshed_at = "", now
        segment.due_at = schedules.next_at(segment, now)
        segment.refresh_seconds = monotonic() - started
    else:
        segment.size += moved.entered - moved.left
    segment.swept_at = now
    segment.save(
        update_fields=[
            "size",
            "problem",
            "refreshed_at",
            "due_at",
            "swept_at",
            "marked",
            "refresh_seconds",
        ]
    )
    _note_size(segment, now, moved, monotonic() - started)
    return moved.total


def _note_size(segment: Segment, now: datetime, moved: Moved, seconds: float) -> None:
    """For the chart: after each change, and once a day."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if moved.total or not SegmentSize.objects.filter(segment=segment, at__gte=today, at__lte=now).exists():
        SegmentSize.objects.update_or_create(
            segment=segment,
            at=now,
            defaults={
                "size": segment.size,
                "entered": moved.entered,
                "left": moved.left,
                "seconds": seconds,
            },
        )
