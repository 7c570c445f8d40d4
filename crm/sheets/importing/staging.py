"""The rows of a file, read, checked and copied into the database, so many at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any

from django.db import connection, transaction

from crm.kernel.work import Budget, in_batches
from crm.models import Import, ImportRow
from crm.sheets import reading
from crm.sheets.importing.files import path_of
from crm.sheets.importing.turns import held
from crm.sheets.reading import Look, Row
from crm.sheets.subjects import Staged, subjects

CHUNK = 5000
_COPY = (
    "COPY crm_importrow (run_id, number, told, email_hash, phone_hash, space, outside_id, verdict, reason,"
    " cells) FROM STDIN"
)
_CELLS = """
    UPDATE crm_importrow AS r SET cells = c.cells FROM unnest(%s::bigint[], %s::jsonb[]) AS c(number, cells)
    WHERE r.run_id = %s AND r.number = c.number
"""
_LONGEST = 500
_json = json.JSONEncoder(check_circular=False).encode


def stage(run: Import, budget: Budget) -> bool:
    """Read on from where the last reading stopped. Returns whether the whole file has been read.

    Rows are copied and the place in the file is noted in one transaction; whoever reads on after a kill
    passes over the rows that are there. What is neither a row nor refused, such as blank lines, is added to
    the notes of its look.
    """
    read = subjects.get(run.subject).reader(run)
    begun = run.cursor
    with closing(reading.rows(path_of(run), Look.from_json(run.look))) as rows:
        rest = (row for row in rows if row.number > begun)
        while chunk := list(islice(rest, CHUNK)):
            with transaction.atomic():
                if not held(run):
                    return False
                _copy(run, chunk, read([row.cells if not row.wrong else [] for row in chunk]))
                run.cursor, run.total = chunk[-1].number, run.total + len(chunk)
                run.save(update_fields=["cursor", "total"])
            if not budget:
                return False
        look = Look.from_json(run.look)
        run.look = replace(look, notes=tuple(dict.fromkeys((*look.notes, *rows.notes)))).as_json()
    with transaction.atomic():
        if not held(run):
            return False
        run.is_read, run.last_row = True, run.cursor
        run.save(update_fields=["is_read", "last_row", "look"])
        # Of so many new rows the server knows nothing yet, and would sort all that are left for each batch.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE crm_importrow")
    return True


def keep_cells(run: Import) -> None:
    """Note what stands in rows that were refused only when all had been read: they are in the file of refused
    rows as typed.
    """
    rows = ImportRow.objects.filter(run=run, verdict=ImportRow.Verdict.REFUSED, cells=[])
    numbers = set(rows.values_list("number", flat=True))
    if not numbers:
        return
    with closing(reading.rows(path_of(run), Look.from_json(run.look))) as file:
        for batch in in_batches((row for row in file if row.number in numbers), CHUNK):
            cells = [json.dumps([cell[:_LONGEST] for cell in row.cells]) for row in batch]
            with connection.cursor() as cursor:
                cursor.execute(_CELLS, [[row.number for row in batch], cells, run.pk])


def clear(run: Import) -> None:
    """Forget what was read, to read the file anew."""
    ImportRow.objects.filter(run=run).delete()
    run.cursor = run.total = run.last_row = 0
    run.new = run.changed = run.unchanged = run.further = run.refused = run.made = run.updated = (
        run.undone
    ) = run.kept = 0
    run.is_read, run.mailable, run.problem = False, {}, ""


def _copy(run: Import, chunk: Sequence[Row], staged: Iterable[Staged]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row, said in zip(chunk, staged, strict=True):
            copy.write_row(_line(run, row, said))


def _line(run: Import, row: Row, said: Staged) -> tuple[Any, ...]:
    if refused := row.wrong or said.refused:
        cells = json.dumps([cell[:_LONGEST] for cell in row.cells])
        whose = said.space, said.outside_id
        return run.pk, row.number, "{}", None, None, *whose, "refused", refused[:_LONGEST], cells
    return (
        run.pk,
        row.number,
        _json(said.told),
        said.email_hash,
        said.phone_hash,
        said.space,
        said.outside_id,
        None,
        said.remark or None,
        "[]",
    )
