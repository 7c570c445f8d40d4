"""Visits as of an instant in the past: rows of the same shape, made of the acts that were known by then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Field, Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.sql.datastructures import BaseTable

from tracking.models import Visit
from tracking.visits import sessions

GAP = timedelta(minutes=30)


class _Made(BaseTable):
    """A query where the name of a table would stand."""

    def __init__(self, table_name: str, alias: str | None, sql: str, params: tuple[Any, ...]) -> None:
        super().__init__(table_name, alias)
        self.sql, self.params = sql, params

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return f"({self.sql}) {compiler.quote_name_unless_alias(self.table_alias)}", self.params

    def relabeled_clone(self, change_map: dict[str | None, str]) -> _Made:
        alias = change_map.get(self.table_alias) or self.table_alias
        return type(self)(self.table_name, alias, self.sql, self.params)

    @property
    def identity(self) -> Any:
        return (*super().identity, self.sql, self.params)


def visits_known(
    at: datetime, *, since: datetime | None = None, among: Sequence[UUID] | None = None
) -> QuerySet[Visit]:
    """Everybody's visits, or those of some people; whoever asks only for visits that began at `since` or
    later says so. What comes half an hour before it is looked at, too: it may be the same visit.
    """
    conditions = ["e.occurred_at <= %s", "e.recorded_at <= %s"]
    params: list[Any] = [at, at]
    if since is not None:
        conditions.append("e.occurred_at > %s")
        params.append(since - GAP)
    if among is not None:
        conditions.append("e.contact_id = ANY(%s::uuid[])")
        params.append(list(among))
    events = f"tracking_event AS e WHERE {sessions.VISITING} AND {' AND '.join(conditions)}"
    return made(Visit, sessions.visits(events), params)


def made[M: Model](model: type[M], sql: str, params: Sequence[Any], **more: Field[Any, Any]) -> QuerySet[Any]:
    """Rows of a model's shape that a query of ours makes, to be asked like any others; `more` names columns
    beyond the model's that it has, which come as annotations.
    """
    rows = model._default_manager.all()
    alias = rows.query.get_initial_alias()
    rows.query.alias_map = {alias: _Made(model._meta.db_table, alias, sql, tuple(params))}
    table = connection.ops.quote_name(model._meta.db_table)
    columns = {name: RawSQL(f"{table}.{name}", (), field) for name, field in more.items()}  # noqa: S611
    return rows.annotate(**columns)
