"""What happened to a contact, from every app, newest first: a page of each source below one cursor, merged.

Each app registers its sources in a module called `history`. There is no union, no copied table and no
offset: one indexed query a source, whatever the page.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from crm.kernel.kinds import Kind, Registry


@dataclass(frozen=True)
class Cursor:
    """The last entry somebody has seen; the next page begins right below it."""

    at: datetime
    source: str
    key: str

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.key}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """A cursor from an address bar, or None where it is none."""
        try:
            at, source, key = text.split("~", 2)
            moment = datetime.fromisoformat(at)
        except ValueError:
            return None
        return (
            cls(moment, source, key)
            if moment.tzinfo and source in sources and key and "\0" not in key
            else None
        )


@dataclass(frozen=True)
class Entry:
    """One thing that happened, ready to be shown. `kind` is the chip it is filtered by."""

    at: datetime
    source: str
    key: str
    kind: str
    title: str
    detail: str = ""
    url: str = ""
    icon: str = ""
    data: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.at, self.source, self.key)


@dataclass(frozen=True)
class Page:
    """A page of the timeline, and where the next one begins, if there is more."""

    entries: list[Entry]
    next: Cursor | None


class Source(Kind):
    """Rows of one table that belong on the timeline, their instant, and how to describe one."""

    # Chips: what a marketer can filter by, and its label.
    kinds: dict[str, str] = {}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        """At most `limit` entries below the cursor, newest first; of these kinds where some are named."""
        raise NotImplementedError(f"{type(self).__name__} has no entries")

    def below(
        self, rows: QuerySet[Any], before: Cursor | None, *, at: str = "occurred_at", key: str = "pk"
    ) -> QuerySet[Any]:
        """The rows below a cursor in the order of the timeline: what a `page` slices."""
        ordered = rows.order_by(f"-{at}", f"-{key}")
        if before is None:
            return ordered
        if self.key == before.source:
            # The plain bound beside the exact one is what an index on (contact, -time) can use.
            earlier = Q(**{f"{at}__lt": before.at})
            try:
                tied = rows.model._meta.pk.to_python(before.key) if key == "pk" else before.key
            except ValidationError:
                return ordered.filter(earlier)
            return ordered.filter(
                Q(**{f"{at}__lte": before.at}), earlier | Q(**{at: before.at, f"{key}__lt": tied})
            )
        # Entries of one instant go by source: those of later sources have been shown, those of earlier ones
        # not.
        bound = "lte" if self.key < before.source else "lt"
        return ordered.filter(**{f"{at}__{bound}": before.at})


@dataclass(frozen=True)
class Told:
    """What an entry says of its row: `detail` in parts, those that are blank left out."""

    title: str
    detail: Sequence[str] = ()
    url: str = ""
    icon: str = ""
    data: dict[str, Any] = field(default_factory=dict)


class Rows(Source):
    """A source that is one table and one chip, each row an entry: say which rows are the person's, at which
    instant each stands, and what it says.
    """

    at = "occurred_at"
    icon = ""
    between = " · "

    def rows(self, contact_id: Any) -> QuerySet[Any]:
        """Everything of this contact, with what `tell` needs of related rows."""
        raise NotImplementedError(f"{type(self).__name__} has no rows")

    def tell(self, row: Any) -> Told:
        """What one row says."""
        raise NotImplementedError(f"{type(self).__name__} says nothing")

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = self.below(self.rows(contact_id), before, at=self.at)
        return [self._entry(row, self.tell(row)) for row in rows[:limit]]

    def _entry(self, row: Any, told: Told) -> Entry:
        return Entry(
            at=getattr(row, self.at),
            source=self.key,
            key=str(row.pk),
            kind=next(iter(self.kinds)),
            title=told.title,
            detail=self.between.join(filter(None, told.detail)),
            url=told.url,
            icon=told.icon or self.icon,
            data=told.data,
        )


sources: Registry[Source] = Registry(Source)


def read(
    contact_id: Any, before: Cursor | None = None, limit: int = 50, kinds: Collection[str] | None = None
) -> Page:
    """One page of the timeline of a contact."""
    found: list[Entry] = []
    for source in sources:
        wanted = None if kinds is None else set(kinds) & set(source.kinds)
        if wanted is None or wanted:
            found.extend(source.page(contact_id, before, limit + 1, wanted))
    # Sorting is stable, so entries of one source keep the order their own query gave to keys of one instant.
    found.sort(key=lambda entry: (entry.at, entry.source), reverse=True)
    shown = found[:limit]
    return Page(shown, shown[-1].cursor if len(found) > limit and shown else None)


def kinds() -> dict[str, str]:
    """All chips there are, by key."""
    return {key: label for source in sources for key, label in source.kinds.items()}
