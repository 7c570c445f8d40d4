"""Who cares for a product: who looked at it, saved it or had it in a cart, and when they last did."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from tracking.models import Event, EventKind
from tracking.visits.sessions import BY_PEOPLE
from tracking.visits.then import made

LOOKS = (EventKind.PRODUCT, EventKind.FAVOURITE)

# The day comes from the daily counts, which are found by product; the moment from the acts of that one day.
_LOOKED = f"""
    SELECT e.* FROM (
        SELECT contact_id, product_id, max(on_day) AS on_day FROM tracking_dailycount
        WHERE product_id = ANY(%s::uuid[]) AND kind = ANY(%s) AND on_day >= %s::date
        GROUP BY contact_id, product_id
    ) AS days CROSS JOIN LATERAL (
        SELECT * FROM tracking_event AS e
        WHERE e.contact_id = days.contact_id AND e.product_id = days.product_id AND e.kind = ANY(%s)
            AND {BY_PEOPLE} AND e.occurred_at >= days.on_day::timestamp AT TIME ZONE 'UTC'
            AND e.occurred_at < (days.on_day + 1)::timestamp AT TIME ZONE 'UTC'
        ORDER BY e.occurred_at DESC LIMIT 1
    ) AS e
"""  # noqa: S608 - our own columns
_IN_CARTS = """
    SELECT l.id, c.contact_id, c.visitor_id, 'cart' AS kind, c.changed_at AS occurred_at, c.recorded_at,
        FALSE AS is_backfill, '' AS url, l.product_id, NULL::uuid AS ref, 'human' AS actor,
        '{}'::jsonb AS props
    FROM tracking_cartline AS l JOIN tracking_cart AS c ON c.id = l.cart_id AND c.contact_id = l.contact_id
    WHERE l.product_id = ANY(%s::uuid[]) AND c.state <> 'bought' AND c.changed_at >= %s
"""


def last_looks(product_ids: Collection[UUID], since: datetime) -> QuerySet[Event]:
    """The last time each person looked at each of these products, or saved it, on the day (UTC) of `since` or
    later: as rows of events.
    """
    return made(Event, _LOOKED, _looked(product_ids, since))


def last_interest(product_ids: Collection[UUID], since: datetime) -> QuerySet[Event]:
    """The same, and carts with the product in them, bought ones left out, by when they were last changed."""
    both = f"""
        SELECT DISTINCT ON (contact_id, product_id) * FROM (
            SELECT id, contact_id, visitor_id, kind, occurred_at, recorded_at, is_backfill, url, product_id,
                ref, actor, props
            FROM ({_LOOKED}) AS looked UNION ALL {_IN_CARTS}
        ) AS acts ORDER BY contact_id, product_id, occurred_at DESC, id
    """  # noqa: S608 - our own columns
    return made(Event, both, [*_looked(product_ids, since), list(product_ids), since])


def _looked(product_ids: Collection[UUID], since: datetime) -> list[object]:
    kinds = [kind.value for kind in LOOKS]
    return [list(product_ids), kinds, since, kinds]
