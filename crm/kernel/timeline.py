"""What happened to a contact, from every app, newest first: a page of each source below one cursor, merged.

Each app registers its sources in a module called `history`. There is no union, no copied table and no
offset: one indexed query for each source that has anything of them, whatever the page. A search looks
through so many rows of a source at once, and says how far back it got.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Case, CharField, F, Func, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Replace

from crm.kernel.kinds import Kind, Registry
from crm.kernel.looking import ANYBODY, Look, having, look

AT_ONCE = 5_000
"""How many rows of one source a search looks through for one page: some tens of milliseconds of a source."""
MOST_WORDS = 8


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
    """A page of the timeline, and where the next one begins, if there is more. `searched_to` is how far back
    a search has looked, where it has not looked at everything.
    """

    entries: list[Entry]
    next: Cursor | None
    searched_to: datetime | None = None


@dataclass(frozen=True)
class Search:
    """Words that an entry shows, all of them, in any order and case; only what is younger than `after`."""

    words: tuple[str, ...]
    after: datetime | None = None

    @classmethod
    def read(cls, text: str) -> Search | None:
        """What somebody typed, or None where it is nothing."""
        words = text.replace("\0", " ").replace("_", " ").split()
        return cls(tuple(word[:60] for word in words[:MOST_WORDS])) if words else None


class Source(Kind):
    """Rows of one table that belong on the timeline, their instant, and how to describe one.

    `searched` is what a search reads of a row: names of its fields (of choices their labels), or expressions.
    What an entry shows beside the words of its rows, such as "Ordered for", stands there as a `Value`.
    """

    # Chips: what a marketer can filter by, and its label.
    kinds: dict[str, str] = {}
    at = "occurred_at"
    searched: Sequence[Any] = ()
    # Nearly everybody has rows here: a page asks for them without a look whether there are any.
    usual = False

    def page(
        self,
        contact_id: Any,
        before: Cursor | None,
        limit: int,
        kinds: Collection[str] | None = None,
        search: Search | None = None,
    ) -> Sequence[Entry]:
        """At most `limit` entries below the cursor, newest first; of these kinds where some are named, with
        these words where some are.
        """
        raise NotImplementedError(f"{type(self).__name__} has no entries")

    def every(self, contact_id: Any) -> QuerySet[Any]:
        """All rows of this contact, for a search to know how far back it may look."""
        raise NotImplementedError(f"{type(self).__name__} has no rows")

    def also(self, word: str) -> Q:
        """Rows that show a word elsewhere: in rows of theirs."""
        return Q(pk__in=[])

    def floor(self, contact_id: Any, before: Cursor | None) -> datetime | None:
        """How far back the rows of one search reach, where there are older ones."""
        rows = self.below(self.every(contact_id), before, at=self.at).values_list(self.at, flat=True)
        found: datetime | None = rows[AT_ONCE : AT_ONCE + 1].first()
        return found

    def finding(self, rows: QuerySet[Any], search: Search | None) -> QuerySet[Any]:
        """The rows that show all words of a search."""
        if search is None:
            return rows
        if search.after is not None:
            rows = rows.filter(**{f"{self.at}__gt": search.after})
        told = [said_by(rows.model, name) for name in self.searched]
        said = Value(f"{self.label} {' '.join(self.kinds.values())}")
        text = Func(Value(" "), said, *told, function="concat_ws", output_field=TextField())
        rows = rows.alias(told=Replace(text, Value("_"), Value(" "), output_field=TextField()))
        for word in search.words:
            rows = rows.filter(Q(told__icontains=word) | self.also(word))
        return rows

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

    icon = ""
    between = " · "

    def rows(self, contact_id: Any) -> QuerySet[Any]:
        """Everything of this contact, with what `tell` needs of related rows."""
        raise NotImplementedError(f"{type(self).__name__} has no rows")

    def tell(self, row: Any) -> Told:
        """What one row says."""
        raise NotImplementedError(f"{type(self).__name__} says nothing")

    def every(self, contact_id: Any) -> QuerySet[Any]:
        return self.rows(contact_id)

    def page(
        self,
        contact_id: Any,
        before: Cursor | None,
        limit: int,
        kinds: Collection[str] | None = None,
        search: Search | None = None,
    ) -> Sequence[Entry]:
        rows = self.finding(self.below(self.rows(contact_id), before, at=self.at), search)
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
    contact_id: Any,
    before: Cursor | None = None,
    limit: int = 50,
    kinds: Collection[str] | None = None,
    search: Search | None = None,
) -> Page:
    """One page of the timeline of a contact, or of what is found on it."""
    asked = [
        (source, wanted)
        for source in sources
        if (wanted := None if kinds is None else set(kinds) & set(source.kinds)) is None or wanted
    ]
    there = having({source: [_look(source)] for source, _ in asked if not source.usual}, contact_id)
    asked = [(source, wanted) for source, wanted in asked if source.usual or source in there]
    reach = None
    if search is not None:
        floors = [source.floor(contact_id, before) for source, _ in asked]
        reach = max((floor for floor in floors if floor is not None), default=None)
        search = Search(search.words, reach)
    found: list[Entry] = []
    for source, wanted in asked:
        found.extend(source.page(contact_id, before, limit + 1, wanted, search))
    # Sorting is stable, so entries of one source keep the order their own query gave to keys of one instant.
    found.sort(key=lambda entry: (entry.at, entry.source), reverse=True)
    shown = found[:limit]
    if len(found) > limit and shown:
        return Page(shown, shown[-1].cursor)
    if reach is None:
        return Page(shown, None)
    # A place just above what was not looked at, which no source has an entry at.
    place = Cursor(reach + timedelta(microseconds=1), min(source.key for source in sources), "-")
    return Page(shown, place, reach)


@cache
def _look(source: Source) -> Look:
    return look(source.every(ANYBODY))


def said_by(model: Any, name: Any) -> Any:
    """What a row says under a name: of a choice its label."""
    if not isinstance(name, str):
        return name
    field, _, rest = name.partition("__")
    kept = model._meta.get_field(field)
    if not rest and kept.choices:
        labels = [When(**{field: value}, then=Value(str(label))) for value, label in kept.flatchoices]
        return Case(*labels, default=Value(""), output_field=CharField())
    return Cast(F(name), TextField())


def kinds() -> dict[str, str]:
    """All chips there are, by key."""
    return {key: label for source in sources for key, label in source.kinds.items()}
