"""Rows of certain people: one array in one parameter, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Expression, Func, Value


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
