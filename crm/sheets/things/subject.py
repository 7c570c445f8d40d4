"""What is not a person: products, orders, companies, codes. Rows are folded into things, and things weighed
against what is there, so many at a time; what a thing is and how it is recorded is its subject's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import QuerySet

from crm.kernel.work import in_batches
from crm.models import Import, ImportRow
from crm.sheets.subjects import MADE, Applied, Reader, Staged, Subject, Undone, Wrong
from crm.sheets.things import folding
from crm.sheets.things.cells import Columns
from crm.sheets.things.cells import columns as read_columns

Verdict = ImportRow.Verdict
_BATCH = 1000
# A range besides the numbers: whatever the planner takes a file to be, it looks at this part of it alone.
_JUDGED = """
    UPDATE crm_importrow AS r SET verdict = j.verdict, object_id = j.object_id,
        reason = NULLIF(concat_ws('; ', r.reason, NULLIF(j.reason, '')), '')
    FROM unnest(%s::bigint[], %s::text[], %s::uuid[], %s::text[]) AS j(number, verdict, object_id, reason)
    WHERE r.run_id = %s AND r.number = j.number AND r.number BETWEEN %s AND %s
"""
_DONE = """
    UPDATE crm_importrow AS r SET object_id = d.object_id, before = d.before
    FROM unnest(%s::bigint[], %s::uuid[], %s::jsonb[]) AS d(number, object_id, before)
    WHERE r.run_id = %s AND r.number = d.number AND r.number BETWEEN %s AND %s
"""


class Thing(NamedTuple):
    """One thing of a file: the number of its first row, whose ids its key is of, what all its rows say."""

    number: int
    space: str
    key: str
    told: dict[str, Any]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What its rows say of lines of it, in the order of the file."""
        return self.told.get("lines") or ([self.told["line"]] if "line" in self.told else [])


@dataclass(slots=True)
class Weighed:
    """What bringing a thing in would do; `plan` is for whoever brings it in."""

    verdict: str
    object_id: UUID | None = None
    reason: str = ""
    plan: Any = None


@dataclass(slots=True)
class Brought:
    """What became of a thing, and all that taking it back needs to know."""

    object_id: UUID
    before: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Came:
    """A row that came in and is to be taken back."""

    object_id: UUID
    is_new: bool
    before: dict[str, Any]


class Things(Subject):
    """Rows that are folded into things by their key. Their form is a `cells.BlanksForm`."""

    one = ""
    """One of them in words, such as product."""

    def key_of(self, told: dict[str, Any]) -> tuple[str, str]:
        """Whose ids the key of a row is of, and the key; blank where it says neither."""
        raise NotImplementedError

    def shape(self, row: Staged, columns: Columns) -> None:
        """Make what a row says, by target, into its `line` and the rest. Raises Wrong."""

    def weigh(self, run: Import, things: Sequence[Thing], now: datetime, *, hold: bool) -> list[Weighed]:
        """What bringing each in would do. `hold`: keep what is there as it is until the transaction ends."""
        raise NotImplementedError

    def bring(
        self, run: Import, things: Sequence[tuple[Thing, Weighed]], now: datetime
    ) -> Mapping[int, Brought]:
        """Record things that are new or changed. Returns what became of each, by number."""
        raise NotImplementedError

    def take_back(self, run: Import, rows: Sequence[Came], now: datetime) -> Undone:
        """Make things as they were before."""
        raise NotImplementedError

    def reader(self, run: Import) -> Reader:
        columns = read_columns(run, self.targets())
        return lambda rows: [self._staged(columns, row) for row in rows]

    def judge(self, run: Import, now: datetime) -> None:
        folding.fold(run, self.one)
        for batch in in_batches(_things(ImportRow.objects.filter(run=run, verdict=None)), _BATCH):
            _judged(run, batch, self.weigh(run, batch, now, hold=False))

    def apply(self, run: Import, after: int, upto: int, now: datetime) -> Applied:
        rows = ImportRow.objects.filter(run=run, number__gt=after, number__lte=upto)
        things = list(_things(rows.filter(verdict__in=[Verdict.NEW, Verdict.CHANGED])))
        weighed = self.weigh(run, things, now, hold=True)
        judged = [one.verdict for one in weighed]
        pairs = [
            pair
            for pair in zip(things, weighed, strict=True)
            if pair[1].verdict in (Verdict.NEW, Verdict.CHANGED)
        ]
        brought = self.bring(run, pairs, now) if pairs else {}
        _judged(run, things, weighed)
        _note(run, brought, now)
        return Applied(
            judged.count(Verdict.NEW), judged.count(Verdict.CHANGED), refused=judged.count(Verdict.REFUSED)
        )

    def undo(self, run: Import, after: int, upto: int, now: datetime) -> Undone:
        rows = ImportRow.objects.filter(
            run=run, number__gt=after, number__lte=upto, before__isnull=False, object_id__isnull=False
        )
        told = rows.order_by("number").values_list("object_id", "verdict", "before")
        applied = [Came(pk, verdict == Verdict.NEW, before or {}) for pk, verdict, before in told if pk]
        undone = self.take_back(run, applied, now) if applied else Undone()
        # What came with things, such as people with orders, goes once all things are gone.
        rows.exclude(before__has_key=MADE).update(before=None)
        return undone

    def _staged(self, columns: Columns, row: Sequence[str]) -> Staged:
        told, wrong = columns.read(row)
        staged = Staged(told, refused=wrong)
        space, key = self.key_of(told)
        # What is refused keeps its key, so that the other rows of the same thing stay out with it.
        staged.space, staged.outside_id = (space[:40], key) if key else (None, None)
        try:
            self.shape(staged, columns)
        except Wrong as wrongly:
            staged.refused = staged.refused or str(wrongly)
        return staged


def _things(rows: QuerySet[ImportRow]) -> Iterator[Thing]:
    told = rows.order_by("number").values_list("number", "space", "outside_id", "told")
    for number, space, key, says in told.iterator(chunk_size=_BATCH):
        yield Thing(number, space or "", key or "", says)


def _judged(run: Import, things: Sequence[Thing], weighed: Sequence[Weighed]) -> None:
    values: list[list[Any]] = [
        [thing.number for thing in things],
        [one.verdict for one in weighed],
        [one.object_id for one in weighed],
        [one.reason for one in weighed],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED, [*values, run.pk, min(values[0], default=0), max(values[0], default=0)])


def _note(run: Import, brought: Mapping[int, Brought], now: datetime) -> None:
    """Keep with each row what it made or changed, and what stood there before."""
    values: list[list[Any]] = [
        list(brought),
        [one.object_id for one in brought.values()],
        [DjangoJSONEncoder().encode({"at": now.isoformat()} | one.before) for one in brought.values()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_DONE, [*values, run.pk, min(values[0], default=0), max(values[0], default=0)])
