"""Whether many tables hold anything of one contact: one query about all of them.

Of most people most tables know nothing, and a look into an index is far cheaper than a query of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

ANYBODY = UUID(int=0)
"""Stands for the contact in looks, which are written once a process."""

type Look = tuple[str, tuple[Any, ...]]


def look(rows: QuerySet[Any]) -> Look:
    """The query for one of these rows, which are asked for with ANYBODY, and its parameters."""
    sql, params = rows.order_by().values("pk")[:1].query.sql_with_params()
    return sql, params


def having[K](looks: Mapping[K, Sequence[Look]], contact_id: Any) -> set[K]:
    """Those of which at least one look finds a row of this contact."""
    if not looks:
        return set()
    sql = ", ".join(" OR ".join(f"EXISTS ({one})" for one, _ in several) for several in looks.values())
    given = [param for several in looks.values() for _, params in several for param in params]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", [contact_id if param == ANYBODY else param for param in given])
        found = cursor.fetchone()
    return {key for key, is_there in zip(looks, found, strict=True) if is_there}
