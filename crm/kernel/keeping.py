"""What is kept of a person, table by table: so that one export holds all of it, one erasure leaves none of
it, and merging two people forgets nothing.

Each app registers its tables in a module called `keeping`. A table that names people and is in no registry
fails the tests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BinaryField, Exists, Model, OuterRef, Q, QuerySet, UniqueConstraint

from crm.kernel.kinds import Kind, Registry


@dataclass(frozen=True)
class Person:
    """Whom it is about: their ids (also of those who were merged into them), and their addresses, as spelled
    and by their keyed hashes.
    """

    ids: tuple[UUID, ...]
    addresses: tuple[str, ...] = ()
    hashes: tuple[bytes, ...] = ()

    def mentioned(self, *columns: str) -> Q:
        """Rows that spell one of their addresses somewhere in these columns."""
        found = Q(pk__in=[])
        for address in self.addresses:
            for column in columns:
                found |= Q(**{f"{column}__icontains": address})
        return found


class Kept(Kind):
    """One table that holds something of people.

    `by` is its column that names the contact. `moves`: by merging, rows become the other person's; `follows`
    names a relation whose row must be theirs already. `leaves`: what erasing sets, where the row stays as a
    number without a person; None where it goes. `hidden` columns are no business of an export: keys of our
    own, digests.
    """

    place = 100
    model: type[Model]
    by = "contact_id"
    moves = True
    follows = ""
    leaves: Mapping[str, Any] | None = None
    hidden: Collection[str] = ()

    def rows(self, person: Person) -> QuerySet[Any]:
        """Everything of this person."""
        return self.model._base_manager.filter(**{f"{self.by}__in": person.ids})

    def erase(self, person: Person, now: datetime) -> int:
        """Take the person out of every row of theirs. Returns how many."""
        rows = self.rows(person)
        if self.leaves is None:
            return rows.delete()[0]
        return rows.update(**self.leaves)

    def movable(self, ids: Collection[Any] | None, old: UUID, new: UUID) -> QuerySet[Any]:
        """The rows of one contact (of these keys, where some are named) that can be another's: none that the
        other has already where there can be but one.
        """
        rows = self.model._base_manager.filter(**{self.by: old})
        if ids is not None:
            rows = rows.filter(pk__in=ids)
        if self.follows:
            rows = rows.filter(**{f"{self.follows}__{self.by}": new})
        theirs = self.model._base_manager.filter(**{self.by: new})
        for others, condition in self._singles():
            twins = theirs.filter(condition, **{name: OuterRef(name) for name in others})
            rows = rows.exclude(condition & Exists(twins))
        return rows

    def settle(self, people: Collection[UUID], now: datetime) -> None:
        """Rows of these people moved or went: derive anew what is derived from them."""

    def told(self, person: Person) -> Iterator[dict[str, Any]]:
        """Everything of this person, a row each, by the names of its columns."""
        fields = [
            field
            for field in self.model._meta.concrete_fields
            if field.name not in self.hidden
            and not isinstance(field, BinaryField)
            and field.attname != self.by
        ]
        related = [field.name for field in fields if field.is_relation]
        for row in self.rows(person).select_related(*related).iterator(chunk_size=2000):
            yield {field.name: _plain(row, field) for field in fields}

    def _singles(self) -> Iterator[tuple[list[str], Q]]:
        """What there can be but one of a contact: the other columns, and among which rows."""
        contact = self.by.removesuffix("_id")
        for field in self.model._meta.concrete_fields:
            if field.unique and field.attname == self.by and not field.primary_key:
                yield [], Q()
        for rule in self.model._meta.constraints:
            if isinstance(rule, UniqueConstraint) and contact in rule.fields:
                yield [name for name in rule.fields if name != contact], rule.condition or Q()


def _plain(row: Any, field: Any) -> Any:
    value = getattr(row, field.name)
    if field.is_relation:
        return None if value is None else str(value)
    if field.choices:
        return getattr(row, f"get_{field.name}_display")()
    return value


keeping: Registry[Kept] = Registry(Kept)


def in_order() -> list[Kept]:
    """Every table of people, in the order in which they are erased and moved."""
    return sorted(keeping, key=lambda kept: kept.place)
