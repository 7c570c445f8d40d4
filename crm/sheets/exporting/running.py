"""An export at work: first the keys of the whole list, as it is at that moment and in its order, then batch
after batch of its rows, each committed with the place it reached in both files. Memory holds one batch.

Whatever is killed goes on from the last batch that was committed; where the files are gone it begins again.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from django.utils import timezone

from crm.kernel.columns import Column
from crm.kernel.work import Budget, in_batches
from crm.models import Export
from crm.sheets.exporting import files, limits, writing
from crm.sheets.exporting.listing import Listing, Refused
from crm.shop.settings import shop_zone

BATCH = 2000
Status = Export.Status


class Lost(Exception):
    """The files are not what the row says of them: another machine has them, or nobody."""


def keep_up(now: datetime, budget: Budget) -> int:
    """Go on with every export there is to make, small ones first. Returns the rows worked on."""
    worked = 0
    with timezone.override(shop_zone()):
        for export in Export.objects.filter(status__in=Export.BUSY).order_by("total", "pk"):
            worked += work(export.pk, now, budget)
            if not budget:
                break
    return worked


def work(pk: Any, now: datetime, budget: Budget) -> int:
    """Go on with one export until it is made, stopped, or the time is over. Returns the rows worked on."""
    worked = 0
    while True:
        try:
            did = _turn(pk, now)
        except Lost:
            Export.objects.filter(pk=pk, status=Status.RUNNING).update(status=Status.WAITING)
            continue
        except OperationalError:
            raise  # The database is away or in the way: the next run goes on.
        except Refused as wrong:
            _fail(pk, now, str(wrong))
            return worked
        except Exception as error:
            _fail(pk, now, f"Something unexpected was in the way ({type(error).__name__}). Ask once more.")
            raise
        if did is None:
            return worked
        worked += did
        if not budget:
            return worked


def _turn(pk: Any, now: datetime) -> int | None:
    """One step of one export: held until it is committed, so that two workers never write one file. Returns
    the rows it wrote; None where there is nothing to do (any more).
    """
    with transaction.atomic():
        waiting = Export.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        export = waiting.select_related("made_by").filter(pk=pk, status__in=Export.BUSY).first()
        if export is None:
            return None
        before = export.rows
        listing = Listing(export.table, export.query, export.made_by)
        offered = listing.columns()
        columns = [offered[key] for key in export.columns if key in offered]
        if export.status == Status.RUNNING:
            limits.check(export.made_by, export.total, now, but=export)
        if export.status == Status.WAITING:
            _begin(export, listing, columns, now)
        elif export.done < export.total:
            _go_on(export, listing, columns)
        elif not _finish(export, now):
            return None
        export.save()
    return max(export.rows - before, 0)


def _begin(export: Export, listing: Listing, columns: list[Column], now: datetime) -> None:
    if not columns:
        raise Refused("None of the columns that were chosen is there any more.")
    total = 0
    limits.one_by_one(export.made_by)
    most = limits.most(export.made_by, now, but=export)
    keys = listing.changes().queryset.values_list("pk", flat=True)
    with files.create(files.path_of(export, "keys")) as kept:
        for batch in in_batches(keys.iterator(chunk_size=BATCH), BATCH):
            kept.write(f"{json.dumps([str(key) for key in batch])}\n".encode())
            total += len(batch)
            if most is not None and total > most:
                limits.check(export.made_by, total, now, but=export)
            if total > limits.PASSWORD_ABOVE and export.password_at is None:
                raise Refused(
                    f"More than {limits.PASSWORD_ABOVE:,} rows leave after your password alone: ask again."
                )
    with files.create(files.path_of(export, "rows")) as rows:
        head = _lines(export, [[writing.cell(column.label) for column in columns]])
        rows.write(head if export.format == Export.Format.XLSX else b"\xef\xbb\xbf" + head)
        export.file_at = rows.tell()
    export.status, export.total, export.done, export.rows, export.keys_at = Status.RUNNING, total, 0, 0, 0
    export.began_at = now


def _go_on(export: Export, listing: Listing, columns: list[Column]) -> None:
    try:
        with files.path_of(export, "keys").open("rb") as kept:
            kept.seek(export.keys_at)
            keys = json.loads(kept.readline() or "null")
            export.keys_at = kept.tell()
        if keys is None:
            raise Lost
        found = listing.rows(keys, columns)
        with files.path_of(export, "rows").open("r+b") as rows:
            if rows.seek(0, os.SEEK_END) < export.file_at:
                raise Lost
            # What a killed worker wrote beyond what it committed.
            rows.truncate(export.file_at)
            rows.seek(export.file_at)
            rows.write(_lines(export, [[writing.cell(one.value(row)) for one in columns] for row in found]))
            export.file_at = rows.tell()
            rows.flush()
            os.fsync(rows.fileno())
    except FileNotFoundError:
        raise Lost from None
    export.done += len(keys)
    export.rows += len(found)


def _finish(export: Export, now: datetime) -> bool:
    """The file as it is fetched. False where the process was asked to end: the next one makes it."""
    made, rows = files.path_of(export), files.path_of(export, "rows")
    try:
        if export.format == Export.Format.XLSX:
            if not writing.workbook(rows, made, export.title):
                return False
            rows.unlink()
        else:
            rows.replace(made)
    except FileNotFoundError:
        raise Lost from None
    files.path_of(export, "keys").unlink(missing_ok=True)
    export.size = made.stat().st_size
    export.status, export.ended_at, export.expires_at = Status.DONE, now, now + Export.KEPT
    return True


def _lines(export: Export, rows: list[list[writing.Cell]]) -> bytes:
    return writing.kept_lines(rows) if export.format == Export.Format.XLSX else writing.csv_lines(rows)


def _fail(pk: Any, now: datetime, problem: str) -> None:
    changed = {"status": Status.FAILED, "problem": problem, "ended_at": now}
    if Export.objects.filter(pk=pk, status__in=Export.BUSY).update(**changed):
        files.forget(Export.objects.get(pk=pk))
