"""The one narrow row that says when a person was last here, bought, clicked. Moments only move forward."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import connection
from psycopg import sql

from crm.kernel import ids
from crm.people.stirring import OWN

Moment = Literal["last_seen_at", "last_cart_at", "last_click_at", "last_open_at", "last_reply_at"]

_TOUCH = sql.SQL(
    "INSERT INTO crm_engagement (id, contact_id, order_count, spent, {column}, stirred)"  # noqa: S608 - our own columns
    f" SELECT id, contact_id, 0, 0, at, {OWN}"
    " FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS t(id, contact_id, at)"
    " ON CONFLICT (contact_id) DO UPDATE SET"
    " {column} = GREATEST(crm_engagement.{column}, EXCLUDED.{column}), stirred = EXCLUDED.stirred"
)
# Written to even where nothing changes: whoever counts the same person next waits for this transaction.
_LOCK = (
    "INSERT INTO crm_engagement (id, contact_id, order_count, spent)"
    " SELECT id, contact_id, 0, 0 FROM unnest(%s::uuid[], %s::uuid[]) AS t(id, contact_id)"
    " ON CONFLICT (contact_id) DO UPDATE SET order_count = crm_engagement.order_count"
)
_RECOUNT = f"""
    UPDATE crm_engagement AS e SET
        order_count = o.number, spent = o.spent, first_order_at = o.first_at, last_order_at = o.last_at,
        stirred = {OWN},
        last_seen_at = GREATEST(e.last_seen_at, o.last_web_at)
    FROM (
        SELECT c.id, count(o.id) FILTER (WHERE o.status <> 'cancelled') AS number,
            COALESCE(sum(o.total - o.refunded) FILTER (WHERE o.status <> 'cancelled'), 0) AS spent,
            min(o.occurred_at) FILTER (WHERE o.status <> 'cancelled') AS first_at,
            max(o.occurred_at) FILTER (WHERE o.status <> 'cancelled') AS last_at,
            max(o.occurred_at) FILTER (WHERE o.channel = 'web') AS last_web_at
        FROM unnest(%s::uuid[]) AS c(id)
        LEFT JOIN crm_order AS o ON o.contact_id = c.id
        GROUP BY c.id
    ) AS o
    WHERE e.contact_id = o.id
"""  # noqa: S608 - our own columns


def touch(moment: Moment, moments: Mapping[UUID, datetime]) -> None:
    """Move one moment of many people forward; a moment before the one we know changes nothing."""
    if not moments:
        return
    people = sorted(moments)
    with connection.cursor() as cursor:
        cursor.execute(
            _TOUCH.format(column=sql.Identifier(moment)),
            [[ids.uuid7() for _ in people], people, [moments[person] for person in people]],
        )


def hold(contact_ids: Iterable[UUID]) -> None:
    """Whoever counts the same people next waits until this transaction ends."""
    people = sorted(set(contact_ids))
    if people:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [[ids.uuid7() for _ in people], people])


def recount_orders(contact_ids: Iterable[UUID]) -> None:
    """Count and sum the orders of these people anew, and hold them; an order on the web, also one cancelled
    since, says that they were there.
    """
    people = sorted(set(contact_ids))
    if not people:
        return
    hold(people)
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, [people])
