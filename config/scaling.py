"""Whether every table could be spread over several servers, as its model promises: asked of the database.

What spreads by contact or by a value must have keys made in Python, its column in every unique key, and no
trigger. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from crm.models.base import Scale

APPS = ("crm", "tracking", "campaigns")
CLASSES = (Scale.BY_CONTACT, Scale.BY_VALUE, Scale.LOCAL)

_COLUMNS = """
    SELECT a.attname, a.attnotnull, format_type(a.atttypid, a.atttypmod), a.attidentity <> ''
        OR COALESCE(pg_get_expr(d.adbin, d.adrelid), '') LIKE 'nextval(%%'
    FROM pg_attribute AS a
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
_UNIQUE = """
    SELECT c.relname, i.indisprimary, array_agg(a.attname::text)
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(%s) AND i.indisunique
    GROUP BY c.relname, i.indisprimary
    ORDER BY c.relname
"""
_TRIGGERS = (
    "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal ORDER BY tgname"
)
_FOREIGN_KEYS = """
    SELECT k.conname, k.confrelid::regclass::text
    FROM pg_constraint AS k
    WHERE k.conrelid = to_regclass(%s) AND k.contype = 'f' AND k.conparentid = 0
    ORDER BY k.conname
"""


@dataclass(frozen=True)
class Table:
    """A table with what its model promises of it."""

    name: str
    scale: str
    column: str


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key that spreading has to widen by the contact, or to drop."""

    table: str
    name: str
    target: str


def tables() -> list[Table]:
    """Every table of ours, those Django makes for relations included."""
    found = []
    for app in APPS:
        for model in apps.get_app_config(app).get_models(include_auto_created=True):
            if model._meta.managed:
                found.append(Table(model._meta.db_table, getattr(model, "scale", ""), _column(model)))
    return found


def problems() -> list[str]:
    """Every way in which a table does not keep its model's promise."""
    return [f"{table.name}: {problem}" for table in tables() for problem in _problems(table)]


def foreign_keys() -> list[ForeignKey]:
    """Foreign keys between tables that spread."""
    spread = {table.name for table in tables() if table.scale in (Scale.BY_CONTACT, Scale.BY_VALUE)}
    return [
        ForeignKey(table, name, target)
        for table in sorted(spread)
        for name, target in _rows(_FOREIGN_KEYS, table)
        if target in spread
    ]


def _column(model: type[models.Model]) -> str:
    name = getattr(model, "scale_column", "")
    names = {field.name: field.column for field in model._meta.concrete_fields}
    return names.get(name) or name


def _problems(table: Table) -> Iterator[str]:
    if table.scale not in CLASSES:
        yield "its model does not say how it spreads (scale)"
        return
    if table.scale == Scale.LOCAL:
        return
    columns = {
        name: (is_required, kind, counts) for name, is_required, kind, counts in _rows(_COLUMNS, table.name)
    }
    if table.column not in columns:
        yield f"it has no column {table.column!r} to spread by"
        return
    if not columns[table.column][0]:
        yield f"the column {table.column} it spreads by may be empty"
    for name, (_, _, counts) in columns.items():
        if counts:
            yield f"the column {name} is numbered by the database: two servers would give one number twice"
    keys = _rows(_UNIQUE, table.name)
    if not any(is_primary for _, is_primary, _ in keys):
        yield "it has no primary key"
    for name, is_primary, among in keys:
        if is_primary:
            kinds = {columns[column][1] for column in among}
            if table.scale == Scale.BY_CONTACT and ("id" not in among or columns["id"][1] != "uuid"):
                yield f"its primary key must be an id of type uuid, not {', '.join(sorted(kinds))}"
        elif table.column not in among:
            yield f"the unique key {name} lacks {table.column}: no server could hold it alone"
    for (name,) in _rows(_TRIGGERS, table.name):
        yield f"the trigger {name} would not run on other servers"


def _rows(query: str, table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [table])
        return cursor.fetchall()
