"""What each person bought of each product, kept up with the orders it is counted from.

Whoever writes orders or lines of some people counts these people anew in the same transaction (`recount`),
holding them (`engagement.hold`), so that two who do so take turns. Orders that were there before are counted
in the background (`count_waiting`); until the last is, rules ask the orders: `are_whole`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection, transaction

from crm.kernel.work import Budget
from crm.models import Contact, UncountedBuyers
from crm.models.writing import UUID7
from crm.people import engagement

BATCH = 5000
_COLUMNS = "contact_id, product_id, orders, quantity, first_at, last_at, again_at"
# Two orders within a day are one errand: their gap says nothing of a rhythm.
COUNTED = """
    SELECT contact_id, product_id, count(*)::int AS orders, sum(quantity) AS quantity,
        min(at) AS first_at, max(at) AS last_at,
        max(at) + percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FILTER (WHERE gap >= interval '1 day')
            AS again_at
    FROM (
        SELECT l.contact_id, l.product_id, sum(l.quantity) AS quantity, o.occurred_at AS at,
            o.occurred_at - lag(o.occurred_at) OVER (
                PARTITION BY l.contact_id, l.product_id ORDER BY o.occurred_at, o.id
            ) AS gap
        FROM crm_orderline AS l
        JOIN crm_order AS o ON o.id = l.order_id AND o.contact_id = l.contact_id AND o.status <> 'cancelled'
        WHERE l.product_id IS NOT NULL {of_whom}
        GROUP BY l.contact_id, l.product_id, o.id, o.occurred_at
    ) AS bought
    GROUP BY contact_id, product_id
"""
_OF_THESE = "AND l.contact_id = ANY(%(people)s::uuid[])"
_KEY = UUID7.replace("%s", "floor(extract(epoch FROM fresh.first_at) * 1000)")
_RECOUNT = f"""
    WITH fresh AS MATERIALIZED ({COUNTED.format(of_whom=_OF_THESE)}),
    gone AS (
        DELETE FROM crm_bought AS b WHERE b.contact_id = ANY(%(people)s::uuid[]) AND NOT EXISTS (
            SELECT FROM fresh WHERE fresh.contact_id = b.contact_id AND fresh.product_id = b.product_id
        )
    )
    INSERT INTO crm_bought AS b (id, {_COLUMNS}) SELECT {_KEY}, fresh.* FROM fresh
    ON CONFLICT (contact_id, product_id) DO UPDATE SET orders = EXCLUDED.orders,
        quantity = EXCLUDED.quantity, first_at = EXCLUDED.first_at, last_at = EXCLUDED.last_at,
        again_at = EXCLUDED.again_at
    WHERE (b.orders, b.quantity, b.first_at, b.last_at, b.again_at) IS DISTINCT FROM
        (EXCLUDED.orders, EXCLUDED.quantity, EXCLUDED.first_at, EXCLUDED.last_at, EXCLUDED.again_at)
"""  # noqa: S608 - our own columns
_DIFFERENT = f"""
    WITH kept AS MATERIALIZED (SELECT {_COLUMNS} FROM crm_bought),
    anew AS MATERIALIZED ({COUNTED.format(of_whom="")})
    SELECT (SELECT count(*) FROM (TABLE kept EXCEPT ALL TABLE anew) AS k)
        + (SELECT count(*) FROM (TABLE anew EXCEPT ALL TABLE kept) AS a)
"""  # noqa: S608 - our own columns


def recount(contact_ids: Iterable[UUID]) -> None:
    """Count what these people bought anew, from their orders as this transaction sees them."""
    people = sorted(set(contact_ids))
    if not people:
        return
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"people": people})


def count_anew(budget: Budget) -> int:
    """Count everybody anew, a few at a time: after a repair by hand. Returns how many people."""
    UncountedBuyers.objects.all().delete()
    UncountedBuyers.objects.create(after=UUID(int=0))
    return count_waiting(budget)


def count_waiting(budget: Budget) -> int:
    """Count people whose orders were there before they were counted. Returns how many people."""
    counted = 0
    while people := _count_some():
        counted += len(people)
        if not budget:
            break
    return counted


def _count_some() -> Sequence[UUID]:
    with transaction.atomic():
        waiting = UncountedBuyers.objects.select_for_update(skip_locked=True).first()
        if waiting is None:
            return []
        next_ones = Contact.objects.filter(pk__gt=waiting.after).order_by("pk").values_list("pk", flat=True)
        people = list(next_ones[:BATCH])
        if not people:
            waiting.delete()
            return []
        engagement.hold(people)
        recount(people)
        waiting.after = people[-1]
        waiting.save(update_fields=["after"])
        return people


_whole = False


def are_whole() -> bool:
    """Whether all orders there are have been counted: once so, always so."""
    global _whole
    _whole = _whole or not UncountedBuyers.objects.exists()
    return _whole


def differences() -> int:
    """How many rows are not what counting all orders anew gives, or are missing. Takes a minute on a large
    database.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENT)
        return cursor.fetchone()[0]
