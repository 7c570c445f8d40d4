"""An import at work: checked, brought in, undone, batch after batch, each with the place it reached.

Whatever is killed goes on from the last batch that was committed; nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Count

from crm.kernel.work import Budget
from crm.models import Import, ImportRow
from crm.sheets.importing import consenting, staging
from crm.sheets.importing.turns import held
from crm.sheets.reading import Unreadable
from crm.sheets.subjects import Overtaken, subjects

BATCH = 5000
_TRIES = 20
Status = Import.Status


def keep_up(now: datetime, budget: Budget) -> int:
    """Go on with every import that is at work. Returns the rows worked on."""
    worked = 0
    for run in Import.objects.filter(status__in=Import.BUSY).order_by("began_at", "pk"):
        worked += work(run, now, budget)
        if not budget:
            break
    return worked


def work(run: Import, now: datetime, budget: Budget) -> int:
    """Go on with one import until it is done, stopped, or the time is over. Returns the rows worked on."""
    before = run.cursor
    try:
        _WORK[Status(run.status)](run, now, budget)
    except Unreadable as wrong:
        _fail(run, now, str(wrong))
    except FileNotFoundError:
        _fail(run, now, "The file is not here any more. Drop it again.")
    except DatabaseError:
        raise  # The database is away or in the way: the next run goes on.
    except Exception as error:
        _fail(run, now, f"Something unexpected was in the way ({type(error).__name__}). Nothing is lost: what"
              " came in can be undone, and the file can be checked again.")  # fmt: skip
        raise
    return max(run.cursor - before, 0)


def _check(run: Import, now: datetime, budget: Budget) -> None:
    if not run.is_read and not staging.stage(run, budget):
        return
    with transaction.atomic():
        if not held(run):
            return
        subjects.get(run.subject).judge(run, now)
        staging.keep_cells(run)
        rows = ImportRow.objects.filter(run=run)
        counts = dict(rows.order_by().values_list("verdict").annotate(rows=Count("number")))
        for verdict in ImportRow.Verdict.values:
            setattr(run, verdict, counts.get(verdict, 0))
        run.mailable = consenting.forecast(run) if run.consent else {}
        _end(run, Status.CHECKED, now)


def _bring_in(run: Import, now: datetime, budget: Budget) -> None:
    subject = subjects.get(run.subject)

    def batch(upto: int) -> int:
        applied = subject.apply(run, run.cursor, upto, now)
        reached = upto if applied.reached is None else applied.reached
        if run.consent:
            consenting.record(run, run.cursor, reached, now)
        run.made, run.updated = run.made + applied.made, run.updated + applied.updated
        run.refused += applied.refused
        return reached

    _through(run, now, budget, batch, Status.DONE)


def _take_back(run: Import, now: datetime, budget: Budget) -> None:
    subject = subjects.get(run.subject)

    def batch(upto: int) -> int:
        if run.consent:
            consenting.take_back(run, run.cursor, upto, now)
        undone = subject.undo(run, run.cursor, upto, now)
        run.undone, run.kept = run.undone + undone.undone, run.kept + undone.kept
        return upto

    _through(run, now, budget, batch, Status.UNDONE)


def _through(
    run: Import, now: datetime, budget: Budget, batch: Callable[[int], int], end: Import.Status
) -> None:
    """Batch after batch to the last row, each committed with the place it reached."""
    while True:
        upto = _next(run)
        for tried in range(_TRIES):
            try:
                with transaction.atomic():
                    if not held(run):
                        return
                    if upto is None:
                        if end == Status.UNDONE:
                            subjects.get(run.subject).undone(run, now)
                        run.cursor = run.last_row
                        _end(run, end, now)
                        return
                    reached, counts = batch(upto), ("made", "updated", "refused", "undone", "kept")
                    Import.objects.filter(pk=run.pk).update(
                        cursor=reached, **{name: getattr(run, name) for name in counts}
                    )
                run.cursor = reached
                break
            except Overtaken:
                if tried + 1 == _TRIES:
                    raise
                run.refresh_from_db()
        if not budget:
            return


def _next(run: Import) -> int | None:
    """Where the next batch ends. Rows have the numbers they have in their file, so none has more of them."""
    return min(run.cursor + BATCH, run.last_row) if run.cursor < run.last_row else None


def _end(run: Import, status: Import.Status, now: datetime) -> None:
    run.status, run.ended_at, run.cursor = status, now, run.cursor
    run.save()


def _fail(run: Import, now: datetime, problem: str) -> None:
    """What failed can be tried again: checked, gone on with, or undone, whatever it was at."""
    run.status = _AFTER[Status(run.status)]
    Import.objects.filter(pk=run.pk).update(status=run.status, problem=problem, ended_at=now)


_AFTER = {
    Status.CHECKING: Status.FAILED,
    Status.RUNNING: Status.CANCELLED,
    Status.UNDOING: Status.DONE,
}
_WORK: dict[Import.Status, Callable[[Import, datetime, Budget], None]] = {
    Status.CHECKING: _check,
    Status.RUNNING: _bring_in,
    Status.UNDOING: _take_back,
}
