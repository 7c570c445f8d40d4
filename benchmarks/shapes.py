"""Three segments as a marketer builds them, as one would write them by hand over the same tables, and as a
program would that has nothing but events and orders.

Each statement takes `now` and gives ids of contacts. By hand one would use what the product keeps: counts,
moments, goods bought, who may receive what. Scanning knows events, orders with their lines, and consent as it
was said. To both merged people are nobody, asked the quickest way there is (of the few who are).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CATEGORY = "Category 00"


@dataclass(frozen=True)
class Shape:
    name: str
    rule: dict[str, Any]
    by_hand: str
    by_scan: str


def of(kind: str, **params: Any) -> dict[str, Any]:
    return {"kind": kind, "params": {name: str(value) for name, value in params.items()}}


_PURPOSE = "(SELECT id FROM crm_purpose WHERE key = 'newsletter')"
_NOT_MERGED = """
    NOT EXISTS (SELECT FROM crm_contact m WHERE m.id = c.id AND m.merged_into_id IS NOT NULL)
"""
_MAY_BE_WRITTEN_TO = f"""
    JOIN crm_contactpoint p ON p.contact_id = c.id AND p.channel = 'email' AND p.is_primary
    JOIN crm_consentstate s ON s.address_hash = p.address_hash AND s.channel = 'email' AND s.may_send
        AND s.purpose_id = {_PURPOSE}
        AND NOT EXISTS (SELECT FROM crm_suppression x
            WHERE x.address_hash = p.address_hash AND x.channel = 'email'
                AND (x.purpose_id IS NULL OR x.purpose_id = s.purpose_id))
"""
_NEVER_BOUGHT_IN_IT = f"""
    NOT EXISTS (SELECT FROM crm_orderline l
        JOIN crm_order o ON o.id = l.order_id AND o.status <> 'cancelled'
        JOIN crm_product p ON p.id = l.product_id AND p.category = '{CATEGORY}'
        WHERE l.contact_id = c.id)
"""

_NEVER_BOUGHT_AS_KEPT = f"""
    NOT EXISTS (SELECT FROM crm_bought b
        JOIN crm_product p ON p.id = b.product_id AND p.category = '{CATEGORY}'
        WHERE b.contact_id = c.id)
"""

KEEN = Shape(
    "a: may be written to, last order 14 to 365 days ago, opened or clicked in 90 days",
    {
        "all": [
            of("crm.consent", purpose="newsletter", channel="email"),
            of("crm.last_order", which="within", days=365),
            of("crm.last_order", which="ago", days=14),
            {"any": [of("campaigns.opened", by="people", days=90), of("campaigns.clicked", days=90)]},
        ]
    },
    by_hand=f"""
        SELECT c.id FROM crm_engagement e
        JOIN crm_contact c ON c.id = e.contact_id AND {_NOT_MERGED}
        WHERE (SELECT 'email:' || id FROM crm_purpose WHERE key = 'newsletter') = ANY (e.may_receive)
            AND e.last_order_at > %(now)s - interval '365 days'
            AND e.last_order_at <= %(now)s - interval '14 days'
            AND (e.last_open_at > %(now)s - interval '90 days'
                OR e.last_click_at > %(now)s - interval '90 days')
    """,
    by_scan=f"""
        SELECT c.id FROM crm_contact c
        {_MAY_BE_WRITTEN_TO}
        WHERE {_NOT_MERGED}
            AND EXISTS (SELECT FROM crm_order o WHERE o.contact_id = c.id AND o.status <> 'cancelled'
                AND o.occurred_at > %(now)s - interval '365 days'
                AND o.occurred_at <= %(now)s - interval '14 days')
            AND NOT EXISTS (SELECT FROM crm_order o WHERE o.contact_id = c.id AND o.status <> 'cancelled'
                AND o.occurred_at > %(now)s - interval '14 days')
            AND EXISTS (SELECT FROM tracking_event e WHERE e.contact_id = c.id
                AND e.kind IN ('open', 'click', 'landing')
                AND e.actor IN ('human', 'likely_human') AND e.occurred_at > %(now)s - interval '90 days')
    """,
)

LOOKED = Shape(
    "b: looked in a category three times in 30 days, never bought in it",
    {
        "all": [
            of("tracking.did", event="product", category=CATEGORY, within_days=30, times=3),
            of("crm.not_ordered", category=CATEGORY),
        ]
    },
    # Whole days are settled by their counts; the day the window begins in, by the acts of whom it decides on.
    by_hand=f"""
        WITH looked AS (
            SELECT contact_id, sum(number) AS most,
                sum(number) FILTER (WHERE on_day > (%(now)s AT TIME ZONE 'UTC')::date - 30) AS sure
            FROM tracking_dailycount
            WHERE category = lower('{CATEGORY}') AND category <> '' AND kind = 'product'
                AND on_day >= (%(now)s AT TIME ZONE 'UTC')::date - 30
            GROUP BY contact_id HAVING sum(number) >= 3
        )
        SELECT c.id FROM looked v JOIN crm_contact c ON c.id = v.contact_id AND {_NOT_MERGED}
        WHERE (v.sure >= 3 OR 3 <= (
                SELECT count(*) FROM tracking_event e WHERE e.contact_id = v.contact_id
                    AND e.kind = 'product' AND lower(e.props ->> 'category') = lower('{CATEGORY}')
                    AND e.actor IN ('human', 'likely_human')
                    AND e.occurred_at > %(now)s - interval '30 days'))
            AND {_NEVER_BOUGHT_AS_KEPT}
    """,
    by_scan=f"""
        SELECT c.id FROM (
            SELECT contact_id FROM tracking_event
            WHERE kind = 'product' AND lower(props ->> 'category') = lower('{CATEGORY}')
                AND actor IN ('human', 'likely_human') AND occurred_at > %(now)s - interval '30 days'
            GROUP BY contact_id HAVING count(*) >= 3
        ) v JOIN crm_contact c ON c.id = v.contact_id AND {_NOT_MERGED}
        WHERE {_NEVER_BOUGHT_IN_IT}
    """,
)

GONE_QUIET = Shape(
    "c: last seen 90 to 180 days ago",
    {
        "all": [
            of("tracking.last_seen", which="within", days=180),
            of("tracking.last_seen", which="not_for", days=90),
        ]
    },
    by_hand=f"""
        SELECT c.id FROM crm_engagement e
        JOIN crm_contact c ON c.id = e.contact_id AND {_NOT_MERGED}
        WHERE e.last_seen_at > %(now)s - interval '180 days'
            AND e.last_seen_at <= %(now)s - interval '90 days'
    """,
    by_scan=f"""
        SELECT c.id FROM (
            SELECT contact_id, occurred_at AS at FROM tracking_event
            WHERE kind <> 'open' AND actor IN ('human', 'likely_human')
                AND occurred_at > %(now)s - interval '180 days'
            UNION ALL
            SELECT contact_id, occurred_at FROM crm_order
            WHERE channel = 'web' AND occurred_at > %(now)s - interval '180 days'
        ) x JOIN crm_contact c ON c.id = x.contact_id AND {_NOT_MERGED}
        GROUP BY c.id HAVING max(x.at) <= %(now)s - interval '90 days'
    """,
)

SHAPES = (KEEN, LOOKED, GONE_QUIET)
