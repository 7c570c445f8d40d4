"""Write many changed rows by one statement, a tenth of the cost of Django's own way (a CASE for each row)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models
from psycopg import sql

from crm.models.base import ByContact

# A UUIDv7 made by the database, for statements that write rows nobody reads first; takes milliseconds.
UUID7 = (
    "(substr(encode(int8send(%s::bigint), 'hex'), 5, 12) || '7'"
    " || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid"
)


def key_at(moment: str) -> str:
    """SQL of a UUIDv7 of an instant, `moment` being SQL of it. From PostgreSQL 18 on by the server's own
    function: cheaper, and rising within a statement, so that indexes fill page by page.
    """
    if connection.pg_version >= 180_000:  # type: ignore[attr-defined]
        return f"uuidv7({moment} - statement_timestamp())"
    return UUID7.replace("%s", f"floor(extract(epoch FROM {moment}) * 1000)")


def milliseconds(at: datetime) -> int:
    """An instant as `UUID7` takes it."""
    return int(at.timestamp() * 1000)


def update_rows(rows: Sequence[models.Model], *names: str) -> None:
    """Store these fields of rows of one model, found by their key, and by their contact if they have one."""
    if not rows:
        return
    meta = rows[0]._meta
    found_by = [str(meta.pk.name)] + (["contact"] if isinstance(rows[0], ByContact) else [])
    fields: list[models.Field[Any, Any]] = [meta.get_field(name) for name in (*found_by, *names)]  # type: ignore[misc]
    columns = [sql.Identifier(str(field.column)) for field in fields]
    key = len(found_by)
    statement = sql.SQL(
        "UPDATE {table} AS stored SET {changes} FROM unnest({arrays}) AS told ({columns}) WHERE {match}"
    ).format(
        table=sql.Identifier(meta.db_table),
        changes=_joined("{0} = told.{0}", columns[key:], ", "),
        arrays=sql.SQL(", ").join(sql.SQL(f"%s::{_type(field)}[]") for field in fields),
        columns=sql.SQL(", ").join(columns),
        match=_joined("stored.{0} = told.{0}", columns[:key], " AND "),
    )
    # In one order of keys: two processes that change the same rows wait for each other, never in a circle.
    ordered = sorted(rows, key=lambda row: str(row.pk))
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in ordered]
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _joined(template: str, columns: Sequence[sql.Identifier], between: str) -> sql.Composed:
    return sql.SQL(between).join(sql.SQL(template).format(column) for column in columns)


def _type(field: "models.Field[Any, Any]") -> str:
    # Lengths are checked by the columns themselves.
    return str(field.rel_db_type(connection) if field.is_relation else field.db_type(connection)).partition(
        "("
    )[0]
