"""What a person does with an import: have it checked, begin, stop, go on, undo. Each holds its row first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from crm.models import ColumnMeaning, Import
from crm.sheets.importing import staging
from crm.sheets.matching import match
from crm.sheets.reading import Look
from crm.sheets.subjects import subjects
from crm.sheets.vocabulary import spelled
from crm.ticking import ring

Status = Import.Status
TICK = "crm.imports"


class NotNow(ValueError):
    """The import is past this, or not there yet; says so in words."""


def check(run: Import, now: datetime) -> None:
    """Read the file by the mapping and options of `run`, and say what it would do. Nothing comes in."""
    with transaction.atomic():
        _hold(run, (Status.SEEN, Status.CHECKED, Status.FAILED))
        staging.clear(run)
        run.status, run.began_at = Status.CHECKING, now
        run.save()
        ring(TICK)


def begin(run: Import, now: datetime) -> None:
    """Bring it in, and remember what its columns meant."""
    with transaction.atomic():
        held = _hold(run, (Status.CHECKED,))
        subjects.get(held.subject).begin(held, now)
        remember(held, now)
        held.status, held.began_at, held.cursor = Status.RUNNING, now, 0
        held.save()
        ring(TICK)


def stop(run: Import, now: datetime) -> None:
    """Stop after the batch in hand. What is checked goes back to its columns; what came in stays."""
    with transaction.atomic():
        held = _hold(run, Import.BUSY)
        if held.status == Status.UNDOING:
            raise NotNow("An undo is not stopped half-way: wait until it is done.")
        held.status = Status.SEEN if held.status == Status.CHECKING else Status.CANCELLED
        held.ended_at = now
        held.save(update_fields=["status", "ended_at"])


def go_on(run: Import, now: datetime) -> None:
    """Bring in the rest of what was stopped."""
    with transaction.atomic():
        held = _hold(run, (Status.CANCELLED,))
        held.status, held.began_at, held.problem = Status.RUNNING, now, ""
        held.save(update_fields=["status", "began_at", "problem"])
        ring(TICK)


def undo(run: Import, now: datetime) -> None:
    """Take back all that came in."""
    with transaction.atomic():
        held = _hold(run, Import.UNDOABLE)
        if held.is_cleared:
            raise NotNow("Its rows are deleted: it can no longer be undone.")
        held.status, held.began_at, held.cursor = Status.UNDOING, now, 0
        held.undone, held.kept, held.problem = 0, 0, ""
        held.save()
        ring(TICK)


def remember(run: Import, now: datetime) -> None:
    """Offer for the headings of the next file what was said of them: what was corrected, not what was let
    stand. What we take a column to be depends on the columns beside it and on who wrote the file, and the
    next file has others. In a file without headings the letters of its columns say nothing.
    """
    look = Look.from_json(run.look)
    if not look.header_row:
        return
    said_before = {spelled(heading) for heading in remembered(run.subject)}
    taken = match(look, subjects.get(run.subject).targets(), {})
    told = [
        ColumnMeaning(subject=run.subject, heading=one.heading[:200], target=target, used_at=now)
        for one in taken
        if (target := run.mapping.get(str(one.column), "")) != one.target
        or spelled(one.heading) in said_before
    ]
    ColumnMeaning.objects.bulk_create(
        {one.heading: one for one in told}.values(),
        update_conflicts=True,
        unique_fields=["subject", "heading"],
        update_fields=["target", "used_at"],
    )


def remembered(subject: str) -> dict[str, str]:
    """What headings meant the last time, by heading."""
    return dict(ColumnMeaning.objects.filter(subject=subject).values_list("heading", "target"))


def _hold(run: Import, allowed: Collection[str]) -> Import:
    held = Import.objects.select_for_update(no_key=True).get(pk=run.pk)
    if held.status not in allowed:
        raise NotNow(f"This import {held.get_status_display()}: look at it as it is now.")
    return held
