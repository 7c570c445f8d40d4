"""Three segments as a marketer builds them, as one would write them by hand over the same tables, and as a
program would that has nothing but events and orders.

Each statement takes `now` and gives ids of contacts. By hand, too, merged people are nobody.
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


_MAY_BE_WRITTEN_TO = """
    EXISTS (SELECT FROM crm_contactpoint p
        JOIN crm_consentstate s ON s.address_hash = p.address_hash AND s.channel = p.channel AND s.may_send
        JOIN crm_purpose u ON u.id = s.purpose_id AND u.key = 'newsletter'
        WHERE p.contact_id = c.id AND p.channel = 'email' AND p.is_primary)
"""

KEEN = Shape(
    "a: may be written to, last order 14 to 365 days ago, opened or clicked in 90 days",
    {
        "all": [
            of("crm.consent", purpose="newsletter", channel="email"),
            of("crm.last_order", which="within", days=365),
            of("crm.last_order", which="ago", days=14),
            {"any": [of("tracking.did", event="click", within_days=90, times=1)]},
        ]
    },
    by_hand=f"""
        SELECT c.id FROM crm_engagement e
        JOIN crm_contact c ON c.id = e.contact_id AND c.merged_into_id IS NULL
        WHERE e.last_order_at > %(now)s - interval '365 days'
            AND e.last_order_at <= %(now)s - interval '14 days'
            AND (e.last_click_at > %(now)s - interval '90 days')
            AND {_MAY_BE_WRITTEN_TO}
    """,
    by_scan=f"""
        SELECT c.id FROM crm_contact c
        WHERE c.merged_into_id IS NULL
            AND EXISTS (SELECT FROM crm_order o WHERE o.contact_id = c.id AND o.status <> 'cancelled'
                AND o.occurred_at > %(now)s - interval '365 days'
                AND o.occurred_at <= %(now)s - interval '14 days')
            AND NOT EXISTS (SELECT FROM crm_order o WHERE o.contact_id = c.id AND o.status <> 'cancelled'
                AND o.occurred_at > %(now)s - interval '14 days')
            AND EXISTS (SELECT FROM tracking_event e WHERE e.contact_id = c.id AND e.kind IN ('click')
                AND e.actor IN ('human', 'likely_human') AND e.occurred_at > %(now)s - interval '90 days')
            AND {_MAY_BE_WRITTEN_TO}
    """,
)

LOOKED = Shape(
    "b: looked in a category three times in 30 days, never bought in it",
    {
        "all": [
            of("tracking.did", event="product", category=CATEGORY, within_days=30, times=3),
            {"none": [of("crm.ordered", category=CATEGORY, times=1)]},
        ]
    },
    by_hand=f"""
        SELECT c.id FROM (
            SELECT contact_id FROM tracking_event
            WHERE kind = 'product' AND lower(props ->> 'category') = lower('{CATEGORY}')
                AND actor IN ('human', 'likely_human') AND occurred_at > %(now)s - interval '30 days'
            GROUP BY contact_id HAVING count(*) >= 3
        ) v JOIN crm_contact c ON c.id = v.contact_id AND c.merged_into_id IS NULL
        WHERE NOT EXISTS (SELECT FROM crm_orderline l
            JOIN crm_order o ON o.id = l.order_id AND o.status <> 'cancelled'
            JOIN crm_product p ON p.id = l.product_id AND p.category = '{CATEGORY}'
            WHERE l.contact_id = c.id)
    """,
    by_scan=f"""
        SELECT c.id FROM (
            SELECT contact_id FROM tracking_event
            WHERE kind = 'product' AND lower(props ->> 'category') = lower('{CATEGORY}')
                AND actor IN ('human', 'likely_human') AND occurred_at > %(now)s - interval '30 days'
            GROUP BY contact_id HAVING count(*) >= 3
        ) v JOIN crm_contact c ON c.id = v.contact_id AND c.merged_into_id IS NULL
        WHERE NOT EXISTS (SELECT FROM crm_orderline l
            JOIN crm_order o ON o.id = l.order_id AND o.status <> 'cancelled'
            JOIN crm_product p ON p.id = l.product_id AND p.category = '{CATEGORY}'
            WHERE l.contact_id = c.id)
    """,
)

GONE_QUIET = Shape(
    "c: last seen 90 to 180 days ago",
    {
        "all": [
            of("tracking.did", event="product", within_days=180, times=1),
            {"none": [of("tracking.did", event="product", within_days=90, times=1)]},
        ]
    },
    by_hand="""
        SELECT c.id FROM crm_engagement e
        JOIN crm_contact c ON c.id = e.contact_id AND c.merged_into_id IS NULL
        WHERE e.last_seen_at > %(now)s - interval '180 days'
            AND e.last_seen_at <= %(now)s - interval '90 days'
    """,
    by_scan="""
        SELECT c.id FROM (
            SELECT contact_id, occurred_at AS at FROM tracking_event
            WHERE kind <> 'open' AND actor IN ('human', 'likely_human')
                AND occurred_at > %(now)s - interval '180 days'
            UNION ALL
            SELECT contact_id, occurred_at FROM crm_order
            WHERE channel = 'web' AND occurred_at > %(now)s - interval '180 days'
        ) x JOIN crm_contact c ON c.id = x.contact_id AND c.merged_into_id IS NULL
        GROUP BY c.id HAVING max(x.at) <= %(now)s - interval '90 days'
    """,
)

SHAPES = (KEEN, LOOKED)
