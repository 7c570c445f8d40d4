"""What follows from the seeded rows, as the product keeps it up: engagement, counts a day, visits."""

from __future__ import annotations

import hashlib
from pathlib import Path
from time import perf_counter

import psycopg

from benchmarks.seeding import loading, told

TABLES = ("crm_engagement", "tracking_dailycount", "tracking_visit")

_ENGAGEMENT = """
INSERT INTO crm_engagement (id, contact_id, last_seen_at, last_cart_at, last_click_at, last_open_at,
    last_order_at, first_order_at, order_count, spent)
SELECT uuidv7(), c.id, GREATEST(e.seen, o.web), e.cart, e.click, e.open, o.last, o.first,
    COALESCE(o.number, 0), COALESCE(o.spent, 0)
FROM crm_contact c
LEFT JOIN (
    SELECT contact_id, max(occurred_at) FILTER (WHERE kind <> 'open') AS seen,
        max(occurred_at) FILTER (WHERE kind = 'cart') AS cart,
        max(occurred_at) FILTER (WHERE kind = 'click') AS click,
        max(occurred_at) FILTER (WHERE kind = 'open') AS open
    FROM tracking_event WHERE actor IN ('human', 'likely_human') GROUP BY contact_id
) e ON e.contact_id = c.id
LEFT JOIN (
    SELECT contact_id, count(*) AS number, sum(total - refunded) AS spent, min(occurred_at) AS first,
        max(occurred_at) AS last, max(occurred_at) FILTER (WHERE channel = 'web') AS web
    FROM crm_order WHERE status <> 'cancelled' GROUP BY contact_id
) o ON o.contact_id = c.id
WHERE e.contact_id IS NOT NULL OR o.contact_id IS NOT NULL
"""


def derive(address: str) -> None:
    """Fill the derived tables anew."""
    began = perf_counter()
    with loading(address) as connection:
        connection.execute(f"TRUNCATE {', '.join(TABLES)}")
        connection.execute("SET work_mem = '256MB'")
        connection.execute(_ENGAGEMENT)
    told(began, "engagement")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    told(began, "derived, all in all")


def mark() -> str:
    """Changes when what is derived does."""
    told = hashlib.sha256()
    for source in (Path(__file__),):
        told.update(source.read_bytes())
    return told.hexdigest()
