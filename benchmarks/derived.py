"""What follows from the seeded rows, as the product keeps it up: engagement, goods bought, counts, visits."""

from __future__ import annotations

import hashlib
from time import perf_counter

from benchmarks.seeding import LOADING, told, without_indexes

TABLES = ("crm_engagement", "crm_bought", "tracking_dailycount", "tracking_visit")

_ENGAGEMENT = """
INSERT INTO crm_engagement (id, contact_id, last_seen_at, last_cart_at, last_click_at, last_open_at,
    last_order_at, first_order_at, order_count, spent, may_receive)
SELECT uuidv7(), c.id, GREATEST(e.seen, o.web), e.cart, e.click, e.open, o.last, o.first,
    COALESCE(o.number, 0), COALESCE(o.spent, 0), COALESCE(p.may, '{}')
FROM crm_contact c
LEFT JOIN (
    SELECT contact_id, max(occurred_at) FILTER (WHERE kind <> 'open') AS seen,
        max(occurred_at) FILTER (WHERE kind = 'cart') AS cart,
        max(occurred_at) FILTER (WHERE kind = 'click') AS click,
        max(occurred_at) FILTER (WHERE kind = 'open') AS open
    FROM tracking_event WHERE actor IN ('human', 'likely_human') GROUP BY contact_id
) e ON e.contact_id = c.id
LEFT JOIN (
    SELECT contact_id, count(*) FILTER (WHERE stands) AS number,
        sum(total - refunded) FILTER (WHERE stands) AS spent,
        min(occurred_at) FILTER (WHERE stands) AS first, max(occurred_at) FILTER (WHERE stands) AS last,
        max(occurred_at) FILTER (WHERE channel = 'web') AS web
    FROM (SELECT *, status <> 'cancelled' AS stands FROM crm_order) AS o GROUP BY contact_id
) o ON o.contact_id = c.id
LEFT JOIN (
    SELECT p.contact_id, array_agg(s.channel || ':' || s.purpose_id ORDER BY s.purpose_id) AS may
    FROM crm_contactpoint p
    JOIN crm_consentstate s ON s.address_hash = p.address_hash AND s.channel = p.channel AND s.may_send
    WHERE p.is_primary GROUP BY p.contact_id
) p ON p.contact_id = c.id
ORDER BY c.id
"""


def derive(address: str) -> None:
    """Fill the derived tables anew, on Django's connection: in the order of their keys, which is quick."""
    from django.db import connection

    began = perf_counter()
    with without_indexes(address, TABLES), connection.cursor() as cursor:
        for setting in LOADING:
            cursor.execute(f"SET {setting}")
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}, tracking_unrolledmonth, crm_uncountedbuyers")
        for name, sql in _statements().items():
            # No parameters, and percent signs doubled for where there are some.
            cursor.execute(sql.replace("%%", "%"))
            told(began, name)
    told(began, "indexes made again")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    told(began, "derived, all in all")


def mark() -> str:
    """Changes when what is derived does."""
    return hashlib.sha256(repr(_statements()).encode()).hexdigest()


def _statements() -> dict[str, str]:
    from crm.shop import bought
    from tracking.visits import rollups, sessions

    columns = ", ".join(sessions.COLUMNS)
    return {
        "engagement": _ENGAGEMENT,
        "goods bought": f"""
            INSERT INTO crm_bought (
                id, contact_id, product_id, orders, quantity, first_at, last_at, again_at
            )
            SELECT uuidv7(), b.* FROM ({bought.COUNTED.format(of_whom="")}) AS b
            ORDER BY contact_id, product_id
        """,
        "daily counts": f"""
            INSERT INTO tracking_dailycount
                (id, contact_id, on_day, kind, product_id, category, brand, number)
            SELECT uuidv7(), e.contact_id, (e.occurred_at AT TIME ZONE 'UTC')::date AS on_day, {rollups.KIND},
                e.product_id, {rollups.CATEGORY}, {rollups.BRAND}, count(*)
            FROM {rollups.ALL} {sessions.BY_PEOPLE} AND e.kind <> 'open'
            GROUP BY 2, 3, 4, 5, 6, 7 ORDER BY 2, 3, 4, 5, 6, 7
        """,
        "visits": f"""
            INSERT INTO tracking_visit (id, {columns}) SELECT uuidv7(), {columns}
            FROM ({sessions.visits(f"{rollups.ALL} {sessions.VISITING}")}) AS v
            ORDER BY contact_id, started_at
        """,
    }
