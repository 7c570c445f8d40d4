"""Certain people: named one by one in an array, or by a query over everybody's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Exists, Expression, Func, Q, QuerySet, Value


class _Ids(Value):
    """Ids as one array, which the planner hashes once instead of reading a list of thousands."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s::uuid[]", (list(self.value),)


class AnyOf(Func):
    """True where a column holds one of these ids."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    conditional = True

    def __init__(self, column: Expression | Any, ids: Sequence[UUID]) -> None:
        super().__init__(column, _Ids(tuple(ids)), output_field=BooleanField())


class Among(Exists):
    """Of contacts that a query over everybody's rows names: asked as an *exists*, which the planner reads
    well wherever it stands, and where nothing but *all* stands above as a bare *in* of the same `ids`: one
    look at each of them less.
    """

    def __init__(self, contacts: QuerySet[Any], ids: QuerySet[Any]) -> None:
        super().__init__(contacts)
        self.ids = ids


def bare(q: Any) -> Any:
    """The same filter, each `Among` that must be true of everybody it lets through as a bare *in*."""
    if isinstance(q, Among):
        return Q(pk__in=q.ids)
    if isinstance(q, Q) and q.connector == Q.AND and not q.negated:
        return Q(*map(bare, q.children))
    return q
