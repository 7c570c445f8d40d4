"""Rows of one contact become another's, in the one way every table allows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import connection, models
from psycopg import sql

from crm.models.base import ByContact

_MOVE = sql.SQL(
    "WITH gone AS (DELETE FROM {table} WHERE contact_id = %s AND {key} = ANY(%s) RETURNING *)"
    " INSERT INTO {table} ({columns}) SELECT {values} FROM gone"
)


def move(model: type[models.Model], ids: Collection[Any], by: str, old: UUID, new: UUID) -> None:
    """Give rows to another contact, keys unchanged. The column by which a table spreads is never written:
    there a row is copied and deleted, in one statement.
    """
    if not ids:
        return
    if not issubclass(model, ByContact):
        model._base_manager.filter(**{by: old}, pk__in=ids).update(**{by: new})
        return
    meta = model._meta
    columns = [str(field.column) for field in meta.concrete_fields]
    values = [sql.SQL("%s") if name == "contact_id" else sql.Identifier(name) for name in columns]
    statement = _MOVE.format(
        table=sql.Identifier(meta.db_table),
        key=sql.Identifier(str(meta.pk.column)),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [old, list(ids), new])
