"""What the rows of a spreadsheet can be: one class in one file, in `sheets/subjects/` of any app."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from crm.kernel.kinds import Kind, Registry
from crm.kernel.work import in_batches
from crm.models import Import, ImportRow
from crm.sheets.matching import Target

MAKES = "new:"
"""A target of this and a type: a field of the shop's own, made from the column."""
FILL, OVERWRITE = "fill", "overwrite"
"""What becomes of what is known already: blanks are filled, or the file is newer."""
MADE = "made"
"""In what a row keeps for the undo: the key of what came along with it, such as the buyer with an order."""
_BATCH = 1000


@dataclass(slots=True)
class Staged:
    """What one row says, by target, without blanks; or why it is refused. `remark`: what is left out."""

    told: dict[str, Any]
    email_hash: bytes | None = None
    phone_hash: bytes | None = None
    space: str | None = None
    outside_id: str | None = None
    refused: str = ""
    remark: str = ""


class Wrong(ValueError):
    """Why a row is refused."""


class Overtaken(Exception):
    """Another process wrote what this batch was about to write."""


@dataclass(frozen=True)
class Applied:
    """What a batch did."""

    made: int = 0
    updated: int = 0
    refused: int = 0
    """Rows that the check had let pass, and what happened since does not."""
    reached: int | None = None
    """Where it stopped, if before the end of the batch: rows after it wait for the next one."""


@dataclass(frozen=True)
class Undone:
    """What undoing a batch did; `kept`: what stayed, because it lived on since."""

    undone: int = 0
    kept: int = 0


type Reader = Callable[[Sequence[Sequence[str]]], list[Staged]]
"""The cells of some rows, made into what they say. May ask the database once a call, never once a row."""


def known_already(
    label: str,
    initial: str = FILL,
    *,
    keep: str = "keep what is known: the file fills what is blank",
    take: str = "take over what the file says: it is newer",
) -> forms.ChoiceField:
    """The question what becomes of what is known already."""
    choices = [(FILL, keep), (OVERWRITE, take)]
    ordered = choices if initial == FILL else choices[::-1]
    return forms.ChoiceField(label=label, choices=ordered, initial=initial, required=False)


class Subject(Kind):
    """What rows are, how they are read, compared with what is there, brought in and taken back."""

    many = ""
    """Several of them in words, such as people."""
    permission = ""
    """What somebody needs besides the permission to import."""
    takes_consent = False
    takes_own_fields = False
    undo_says = ""
    """What undoing means and leaves, to be read before it is done."""

    def targets(self) -> list[Target]:
        """What a column can be."""
        raise NotImplementedError

    def missing(self, targets: set[str]) -> str:
        """What no column says although every row needs it; an empty text where nothing lacks."""
        raise NotImplementedError

    def reader(self, run: Import) -> Reader:
        """How rows of this file are read, by its mapping and options."""
        raise NotImplementedError

    def judge(self, run: Import, now: datetime) -> None:
        """Give every row that is not refused its verdict. In one transaction; may be repeated."""
        raise NotImplementedError

    def apply(self, run: Import, after: int, upto: int, now: datetime) -> Applied:
        """Bring in the rows of these numbers, within the caller's transaction. Raises Overtaken where another
        process was faster with one of them: the batch is begun anew.
        """
        raise NotImplementedError

    def undo(self, run: Import, after: int, upto: int, now: datetime) -> Undone:
        """Take the applied rows of these numbers back, within the caller's transaction."""
        raise NotImplementedError

    def undone(self, run: Import, now: datetime) -> None:
        """Take back what came along with rows, once all of them are taken back."""
        rows = ImportRow.objects.filter(run=run, before__has_key=MADE)
        told = rows.values_list("before", flat=True).iterator(chunk_size=_BATCH)
        for batch in in_batches((before for before in told if before), _BATCH):
            self.clear_up({UUID(before[MADE]): before["at"] for before in batch}, now)
        rows.update(before=None)

    def clear_up(self, made: Mapping[UUID, str], now: datetime) -> None:
        """Delete what came along with rows (noted there as `MADE`), by when it came, unless it lives on."""

    def begin(self, run: Import, now: datetime) -> None:
        """What has to be there before the first row comes in, such as a field of the shop's own."""


subjects: Registry[Subject] = Registry(Subject)


def columns_of(run: Import) -> dict[str, int]:
    """Which column says what: the mapping of an import the other way round."""
    mapping: Mapping[str, str] = run.mapping
    return {target: int(column) for column, target in mapping.items() if target}
