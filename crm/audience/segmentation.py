"""Keep segments: who is in one, as rows with their instants, brought up to date by one difference."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from crm.audience import schedules
from crm.kernel import rules
from crm.kernel.work import Budget, in_batches
from crm.models import Contact, Segment, SegmentMembership

PREVIEW_MILLISECONDS = 2000
_BATCH = 5000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Preview:
    """Whom a rule would take in, while it is being edited. `count` is None where counting took too long."""

    count: int | None
    contacts: Sequence[Contact]
    problems: Sequence[rules.Problem] = ()


def members(rule: Any, at: datetime) -> QuerySet[Contact]:
    """The people a rule means, among those known by then and not merged into somebody else."""
    known = Contact.objects.filter(merged_into=None, created_at__lte=at, recorded_at__lte=at)
    return known.filter(rules.compile(rule, at))


def refresh(segment: Segment, now: datetime) -> int:
    """Bring the membership up to date. Returns how many entered or left.

    A rule that cannot be read lets nobody in and throws nobody out: the segment stays as it is, and says why.
    """
    started = monotonic()
    found = rules.problems(segment.rule)
    if found:
        segment.problem = "; ".join(map(str, found))
        segment.refreshed_at, segment.due_at = now, schedules.next_at(segment, now)
        segment.save(update_fields=["problem", "refreshed_at", "due_at"])
        return 0
    with transaction.atomic():
        stays = SegmentMembership.objects.filter(segment=segment, left_at=None)
        meant = members(segment.rule, now)
        left = stays.filter(~Exists(meant.filter(pk=OuterRef("contact_id")))).update(left_at=now)
        missing = meant.filter(~Exists(stays.filter(contact=OuterRef("pk")))).order_by()
        entered = 0
        for batch in in_batches(missing.values_list("pk", flat=True).iterator(chunk_size=_BATCH), _BATCH):
            new = [SegmentMembership(contact_id=pk, segment=segment, entered_at=now) for pk in batch]
            SegmentMembership.objects.bulk_create(new, ignore_conflicts=True)
            entered += len(batch)
        segment.size = stays.count()
        segment.problem, segment.refreshed_at, segment.refresh_seconds = "", now, monotonic() - started
        segment.due_at = schedules.next_at(segment, now)
        segment.save(update_fields=["size", "problem", "refreshed_at", "due_at", "refresh_seconds"])
    return entered + left


def due(now: datetime) -> QuerySet[Segment]:
    """Segments whose time has come, the longest waiting first."""
    return Segment.objects.filter(Q(due_at=None) | Q(due_at__lte=now)).order_by(F("due_at").asc(nulls_first=True))


def refresh_due(now: datetime, budget: Budget) -> int:
    """Refresh what is due, each once; a segment that another process works on is left to it."""
    worked = 0
    for pk in list(due(now).values_list("pk", flat=True)):
        if not budget:
            break
        with transaction.atomic():
            segment = Segment.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=pk).first()
            if segment is not None:
                _refresh_or_say(segment, now)
                worked += 1
    return worked


def _refresh_or_say(segment: Segment, now: datetime) -> None:
    """One segment that fails says so on its own page, and the others go on."""
    try:
        with transaction.atomic():
            refresh(segment, now)
    except DatabaseError as error:
        logger.warning("The segment %s could not be refreshed: %s", segment.pk, error)
        problem = f"It could not be refreshed: {error}"[:1000]
        due_at = schedules.next_at(segment, now)
        Segment.objects.filter(pk=segment.pk).update(problem=problem, refreshed_at=now, due_at=due_at)


def examples(rule: Any, now: datetime, *, limit: int = 5) -> Preview:
    """How many people a rule means, and the newest few, within a moment's time."""
    found = rules.problems(rule)
    if found:
        return Preview(0, [], found)
    meant = members(rule, now)
    count = _within_time(meant.count)
    newest = meant.order_by("-created_at", "-pk")[:limit]
    shown = _within_time(lambda: list(newest))
    return Preview(count, shown or [])


def _within_time(ask: Any) -> Any:
    """The answer, or None where the database would take longer than a person waits."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PREVIEW_MILLISECONDS)])
            answer = ask()
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            return answer
    except OperationalError:
        return None
