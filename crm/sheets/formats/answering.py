"""The two questions about a file, answered in messages that are JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm.sheets.formats import opening
from crm.sheets.formats.table import Read, seen

_BATCH_LETTERS = 120_000
_BATCH_ROWS = 500


def answers(question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One message with the look of a file, or many with its rows and one with notes. Raises Unreadable."""
    if question["act"] == "look":
        yield seen(opening.sniffed(question), question["header_row"])
        return
    look = question["look"]
    read = Read(opening.opened(question["path"], look), look["header_row"], look["headings"])
    yield from _batches(read)
    yield {"notes": read.notes()}


def _batches(read: Read) -> Iterator[dict[str, Any]]:
    """Many rows a message: what a message costs is then hardly seen."""
    numbers: list[int] = []
    cells: list[list[str]] = []
    wrong: dict[str, str] = {}
    letters = 0
    for number, row, reason in read:
        if reason:
            wrong[str(len(numbers))] = reason
        numbers.append(number)
        cells.append(row)
        letters += sum(map(len, row))
        if len(numbers) >= _BATCH_ROWS or letters >= _BATCH_LETTERS:
            yield {"numbers": numbers, "cells": cells, "wrong": wrong}
            numbers, cells, wrong, letters = [], [], {}, 0
    if numbers:
        yield {"numbers": numbers, "cells": cells, "wrong": wrong}
