"""What a dry run has to say of single rows, as files: the refused rows as typed, so that they can be mended
in a spreadsheet program and dropped again, and the remarks on rows that come in.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from crm.models import Import, ImportRow
from crm.sheets.plain import plain
from crm.sheets.reading import Look

ROW, REASON, REMARK = "Row", "Refused because", "Remark"
_BATCH = 2000
Verdict = ImportRow.Verdict


class _Echo:
    def write(self, text: str) -> str:
        return text


def lines(run: Import) -> Iterator[str]:
    """The lines of a CSV file, as they are read from the database; UTF-8 that spreadsheet programs know."""
    writer: Any = csv.writer(_Echo())
    headings = Look.from_json(run.look).headings
    yield "\ufeff" + writer.writerow([*map(plain, headings), ROW, REASON])
    refused = ImportRow.objects.filter(run=run, verdict=Verdict.REFUSED).order_by("number")
    for number, cells, reason in refused.values_list("number", "cells", "reason").iterator(chunk_size=_BATCH):
        wide = [*cells, *[""] * (len(headings) - len(cells))]
        yield writer.writerow([*map(plain, wide), number, reason])


def remarked(run: Import) -> QuerySet[ImportRow]:
    """Rows that come in with a remark, such as what is left out of them. That a line goes on with another is
    told of all of them together.
    """
    rows = ImportRow.objects.filter(run=run).exclude(verdict=Verdict.REFUSED).exclude(reason=None)
    return rows.exclude(verdict=Verdict.FURTHER, reason__startswith="goes on")


def remarks(run: Import) -> Iterator[str]:
    """The lines of a CSV file of them, by their numbers."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([ROW, REMARK])
    told = remarked(run).order_by("number").values_list("number", "reason")
    for number, reason in told.iterator(chunk_size=_BATCH):
        yield writer.writerow([number, plain(reason or "")])
