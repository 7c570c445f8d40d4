"""The guards as pieces of SQL, made once a process: the fence excludes them, *why* asks which one it was."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NoReturn

from django.conf import settings
from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.expressions import Combinable

from campaigns.delivery.guards import Guard, Verdict, in_order
from campaigns.delivery.statements import literal
from campaigns.models import Delivery


class _Now(datetime):
    """Stands for the instant that is filled in when a statement runs. Arithmetic on it would freeze it."""

    def __add__(self, other: object) -> NoReturn:
        raise TypeError("a guard may do no arithmetic on `now` itself; do it in the expression")

    __sub__ = __radd__ = __rsub__ = __add__


_NOW = _Now(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """One guard: its condition on a delivery, its reason and the moment to ask again, all as SQL."""

    guard: Guard
    blocks: str
    reason: str
    again_at: str


def all_guards() -> tuple[Asked, ...]:
    """The guards that apply, in the order in which they are asked."""
    return _compiled(settings.REKINDLE_SAFE_SINK)


@lru_cache(maxsize=4)
def _compiled(safe_sink: bool) -> tuple[Asked, ...]:
    found = []
    for guard in in_order():
        condition = guard.blocks(_NOW)
        if not guard.stops_ours:
            condition = ~Q(origin__in=Delivery.TO_US) & Q(condition)
        if not guard.stops_calls:
            condition = ~Q(origin=Delivery.Origin.SYSTEM) & Q(condition)
        again = _sql(guard.again_at(_NOW)) if guard.verdict is Verdict.REQUEUE else "NULL::timestamptz"
        blocks = _sql(ExpressionWrapper(condition, BooleanField()))
        found.append(Asked(guard, f"({blocks})", f"({_sql(guard.reason_of())})::text", f"({again})"))
    return tuple(found)


def _sql(expression: Combinable) -> str:
    """The expression as text, constants written in and `now` left as a parameter of that name."""
    query = Delivery.objects.annotate(asked=expression).query
    compiler = query.get_compiler(connection=connection)
    compiler.setup_query()
    try:
        sql, params = compiler.compile(query.annotations["asked"])
    except EmptyResultSet:
        return "FALSE"
    except FullResultSet:
        return "TRUE"
    joined = [alias for alias, uses in query.alias_refcount.items() if uses]
    if joined not in ([], [Delivery._meta.db_table]):
        raise TypeError("a guard asks about related rows by Exists, not by a join")
    return sql % tuple("%(now)s::timestamptz" if value is _NOW else literal(value) for value in params)
