"""Who cares for a product that changed: who looked at it, saved it or had it in a cart, and when they last
did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import CharField, DateTimeField, DecimalField, QuerySet

from tracking.models import Event, EventKind
from tracking.visits.sessions import BY_PEOPLE
from tracking.visits.then import made

LOOKS = (EventKind.PRODUCT, EventKind.FAVOURITE)


@dataclass(frozen=True, slots=True)
class Changed:
    """A product of which something changed: from when on, when we came to know of it, and what it costs."""

    product_id: UUID
    at: datetime
    known_at: datetime
    price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Who was told already: rows with `contact_id`, `subject_id` (the product) and `entered_at`. Whoever
    entered after `lately`, or about this very change, is left out before anything is asked of their acts.
    """

    runs: QuerySet[Any]
    lately: datetime

    def sql(self, contact: str, product: str) -> tuple[str, list[Any]]:
        rows = self.runs.values_list("contact_id", "subject_id", "entered_at")
        runs, params = rows.query.sql_with_params()
        out = f"""
            NOT EXISTS (
                SELECT FROM ({runs}) AS told (contact_id, subject_id, entered_at)
                WHERE told.contact_id = {contact} AND (told.entered_at > %s
                    OR told.subject_id = {product} AND told.entered_at >= changed.due_at)
            )
        """
        return out, [*params, self.lately]


# Days come from the daily counts, which are found by product; the moment from the acts of that one day.
_CHANGED = """
    unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::numeric[], %s::text[])
        AS changed (product_id, at, due_at, price, currency)
"""
_LOOKED = f"""
    SELECT e.id, days.contact_id, e.visitor_id, e.kind, e.occurred_at, e.recorded_at, e.is_backfill, e.url,
        days.product_id, e.ref, e.actor, e.props, days.due_at, days.price, days.currency
    FROM (
        SELECT d.contact_id, d.product_id, changed.at, changed.due_at, changed.price, changed.currency,
            max(d.on_day) AS on_day
        FROM {_CHANGED} JOIN tracking_dailycount AS d ON d.product_id = changed.product_id
            AND d.kind = ANY(%s) AND d.on_day >= (%s AT TIME ZONE 'UTC')::date
        WHERE {{told}}
        GROUP BY 1, 2, 3, 4, 5, 6
        HAVING max(d.on_day) <= (changed.at AT TIME ZONE 'UTC')::date
    ) AS days CROSS JOIN LATERAL (
        SELECT * FROM tracking_event AS e
        WHERE e.contact_id = days.contact_id AND e.product_id = days.product_id AND e.kind = ANY(%s)
            AND {BY_PEOPLE} AND e.occurred_at >= days.on_day::timestamp AT TIME ZONE 'UTC'
            AND e.occurred_at < (days.on_day + 1)::timestamp AT TIME ZONE 'UTC'
        ORDER BY e.occurred_at DESC LIMIT 1
    ) AS e
    WHERE e.occurred_at < days.at
"""  # noqa: S608 - our own columns
_IN_CARTS = f"""
    SELECT l.id, c.contact_id, c.visitor_id, 'cart' AS kind, c.changed_at AS occurred_at, c.recorded_at,
        FALSE AS is_backfill, '' AS url, l.product_id, NULL::uuid AS ref, 'human' AS actor,
        jsonb_build_object() AS props, changed.due_at, changed.price, changed.currency
    FROM {_CHANGED} JOIN tracking_cartline AS l ON l.product_id = changed.product_id
    JOIN tracking_cart AS c ON c.id = l.cart_id AND c.contact_id = l.contact_id
    WHERE {{told}} AND c.state <> 'bought' AND c.changed_at >= %s AND c.changed_at < changed.at
        AND NOT EXISTS (
            SELECT FROM tracking_event AS e WHERE e.contact_id = c.contact_id
                AND e.product_id = l.product_id AND e.kind = ANY(%s) AND e.occurred_at >= changed.at
        )
"""  # noqa: S608 - our own columns
_CHEAPER = """
    SELECT looked.*, before.price AS price_then FROM ({looked}) AS looked CROSS JOIN LATERAL (
        SELECT price, currency FROM crm_pricechange AS p
        WHERE p.product_id = looked.product_id AND p.occurred_at <= looked.occurred_at
        ORDER BY p.occurred_at DESC, p.id DESC LIMIT 1
    ) AS before
    WHERE before.currency = looked.currency AND looked.price <= before.price * %s
"""
_MONEY: DecimalField[Any, Any] = DecimalField(max_digits=12, decimal_places=2)


def wanted(changed: Sequence[Changed], since: datetime, told: Told) -> QuerySet[Any]:
    """Who looked at each of these products, saved it or had it in a cart after `since` (looks: on its day,
    UTC) and has not looked again from the change on: their last such act, as an event, with `due_at`.
    """
    looked, looks = _looked(changed, since, told)
    out, params = told.sql("c.contact_id", "l.product_id")
    in_carts = [*_columns(changed), *params, since, _kinds()]
    sql = f"{looked} UNION ALL {_IN_CARTS.format(told=out)}"
    return made(Event, sql, [*looks, *in_carts], due_at=DateTimeField())


def cheaper(changed: Sequence[Changed], left: Decimal, since: datetime, told: Told) -> QuerySet[Any]:
    """Who looked at each of these products or saved it, when it cost so much that its price of now is at most
    the share `left` of that; and has not looked again since. With `due_at`, `price`, `currency` and
    `price_then`.
    """
    looked, looks = _looked(changed, since, told)
    more = {"due_at": DateTimeField(), "price": _MONEY, "currency": CharField(), "price_then": _MONEY}
    return made(Event, _CHEAPER.format(looked=looked), [*looks, left], **more)


def _looked(changed: Sequence[Changed], since: datetime, told: Told) -> tuple[str, list[Any]]:
    out, params = told.sql("d.contact_id", "d.product_id")
    return _LOOKED.format(told=out), [*_columns(changed), _kinds(), since, *params, _kinds()]


def _kinds() -> list[str]:
    return [kind.value for kind in LOOKS]


def _columns(changed: Sequence[Changed]) -> list[list[Any]]:
    return [
        [one.product_id for one in changed],
        [one.at for one in changed],
        [one.known_at for one in changed],
        [one.price for one in changed],
        [one.currency for one in changed],
    ]
