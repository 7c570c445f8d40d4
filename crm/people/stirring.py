"""Who was written about since a rule was last asked, so that it is asked again of them alone.

Every writer of facts that rules ask for stirs the contact: the row of engagement takes the number of the
transaction. A refresh remembers the oldest transaction that was still open when it looked; whoever carries
that number or a later one may have changed since, and nobody else can have. No clock is involved, so neither
late commits nor a replayed year lose anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, Func, QuerySet

from crm.kernel import ids
from crm.models import Engagement
from crm.models.writing import key_at

# In SQL: the number of this transaction, for statements that write engagement anyway.
OWN = "pg_current_xact_id()::text::bigint"

_STIR = (
    "INSERT INTO crm_engagement (id, contact_id, order_count, spent, stirred)"  # noqa: S608 - our own columns
    f" SELECT id, contact_id, 0, 0, {OWN} FROM unnest(%s::uuid[], %s::uuid[]) AS t(id, contact_id)"
    " ON CONFLICT (contact_id) DO UPDATE SET stirred = EXCLUDED.stirred"
    " WHERE crm_engagement.stirred <> EXCLUDED.stirred"
)


_STIR_ALL = (
    "INSERT INTO crm_engagement (id, contact_id, order_count, spent, stirred)"  # noqa: S608 - our own columns
    f" SELECT {{key}}, contact_id, 0, 0, {OWN} FROM {{table}} AS t WHERE NOT EXISTS"
    f" (SELECT FROM crm_engagement AS e WHERE e.contact_id = t.contact_id AND e.stirred = {OWN})"
    " ORDER BY contact_id ON CONFLICT (contact_id) DO UPDATE SET stirred = EXCLUDED.stirred"
)


def stir(contact_ids: Iterable[UUID]) -> None:
    """Something that rules ask for was written about these people, in this transaction."""
    people = sorted(set(contact_ids))
    if not people:
        return
    with connection.cursor() as cursor:
        cursor.execute(_STIR, [[ids.uuid7() for _ in people], people])


def stir_all(table: str) -> None:
    """The same of everybody in a table of ours, temporary or not, by its `contact_id`, one row a person."""
    with connection.cursor() as cursor:
        cursor.execute(_STIR_ALL.format(key=key_at("statement_timestamp()"), table=table))


def mark() -> int:
    """Where we stand: every transaction with a lower number is over and seen by a query after this one.

    Take it before asking; ask `stirred_since(mark)` the next time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return cursor.fetchone()[0]


class _PastTheLast(Func):
    """One more than the number of any transaction seen here: what lies above came with a backup."""

    template = (
        "GREATEST(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
        " pg_current_xact_id_if_assigned()::text::bigint + 1)"
    )
    output_field = BigIntegerField()


def stirred_since(mark: int) -> QuerySet[Any]:
    """The ids of people who were written about by a transaction that was not over then."""
    stirred = Engagement.objects.filter(stirred__gte=mark, stirred__gt=0, stirred__lt=_PastTheLast())
    return stirred.values("contact_id")
