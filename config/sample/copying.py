"""Many rows at once by PostgreSQL's COPY; columns that are not given take the model's default, or the
database's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql
from psycopg.types.json import Jsonb


def copy_in(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> int:
    """Write rows that all have the same fields (by `attname`). Returns how many."""
    if not rows:
        return 0
    key = model._meta.pk
    fields = {
        field.attname: field
        for field in model._meta.concrete_fields
        if field.attname in rows[0] or field.has_default() or not _is_filled(field)
    }
    defaults = {name: field.get_default() for name, field in fields.items() if name not in rows[0]}
    documents = [name for name, field in fields.items() if isinstance(field, models.JSONField)]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields.values()),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            whole = {**defaults, **row}
            if key.attname in defaults and key.has_default():
                whole[key.attname] = key.get_default()
            for name in documents:
                whole[name] = Jsonb(whole[name])
            copy.write_row([whole[name] for name in fields])
    return len(rows)


def _is_filled(field: "models.Field[Any, Any]") -> bool:
    """Whether the database fills it where nothing is given."""
    return isinstance(field, models.AutoField) or field.has_db_default()
