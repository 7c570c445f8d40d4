"""Everybody's occasions in SQL: each purchase day or sign of life, with the instants that would follow it.

An occasion restarts a person's clock. From it follow, were nothing else to come, the instants of cooling, at
risk and lost; so the whole of a person's past states can be read off their orders alone, as of any instant,
without a step through time.

A person's usual gap is the mean of their gaps so far, with `pull` gaps of the shop's usual length mixed in.
Money at stake is what they would spend in a year at that rhythm: orders a year times what they paid on
average, refunds taken off. Of somebody who bought once, only the share that comes back is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.models import RiskSettings, ShopRhythm
from crm.shop.settings import this_shop

YEAR_DAYS = 365.25

LAST_SIGN = "SELECT id, last_at FROM who"
REGISTERED = "SELECT id, created_at FROM who"
# The sign before the last, so that what it led to is not forgotten when a new one is found.
SIGN_BEFORE = """
    SELECT s.contact_id, s.last_at FROM crm_standing AS s JOIN who ON who.id = s.contact_id
    WHERE s.clock = 'engagement'
"""

_MARKS = """
    who AS MATERIALIZED (
        SELECT c.id, c.created_at,
            LEAST(
                GREATEST(c.created_at, e.last_seen_at, e.last_click_at, e.last_reply_at), %(now)s
            ) AS last_at
        FROM crm_contact AS c LEFT JOIN crm_engagement AS e ON e.contact_id = c.id
        WHERE c.merged_into_id IS NULL AND NOT c.is_test
            AND c.created_at <= %(now)s AND c.recorded_at <= %(now)s {of_contact}
    ),
    days AS (
        SELECT o.contact_id, min(o.occurred_at) AS came_at, max(o.occurred_at) AS at,
            sum(o.total - o.refunded) AS paid
        FROM crm_order AS o
        WHERE o.status <> 'cancelled' AND o.occurred_at <= %(now)s AND o.recorded_at <= %(now)s {of_order}
        GROUP BY o.contact_id, (o.occurred_at AT TIME ZONE %(zone)s)::date
    ),
    bought AS (
        SELECT contact_id, came_at, at, row_number() OVER w - 1 AS gaps,
            first_value(came_at) OVER w AS first_at, sum(paid) OVER w AS paid, lead(came_at) OVER w AS next_at
        FROM days JOIN who ON who.id = days.contact_id
        WINDOW w AS (PARTITION BY contact_id ORDER BY came_at)
    ),
    paced AS (
        SELECT *, GREATEST(1, (
            CASE WHEN gaps = 0 THEN 0 ELSE extract(epoch FROM at - first_at)::float8 / 86400 END
            + %(pull)s::float8 * %(gap)s::float8
        ) / (gaps + %(pull)s::float8)) AS usual
        FROM bought
    ),
    signs AS (
        SELECT sign.contact_id, min(sign.at) AS came_at, max(sign.at) AS at, first.at AS first_order_at
        FROM ({signs}) AS sign (contact_id, at)
        LEFT JOIN (SELECT contact_id, min(came_at) AS at FROM days GROUP BY contact_id) AS first
            ON first.contact_id = sign.contact_id
        WHERE sign.at <= %(now)s AND (first.at IS NULL OR sign.at < first.at)
        GROUP BY sign.contact_id, first.at, (sign.at AT TIME ZONE %(zone)s)::date
    ),
    timed AS (
        SELECT contact_id, 'purchase' AS clock, came_at, at, gaps, usual, next_at,
            CASE WHEN gaps = 0 THEN %(once_cooling)s ELSE %(cooling)s * usual END AS cooling_days,
            CASE WHEN gaps = 0 THEN %(once_at_risk)s ELSE %(at_risk)s * usual END AS at_risk_days,
            CASE WHEN gaps = 0 THEN %(once_lost)s ELSE %(lost)s * usual END AS lost_days,
            round((GREATEST(paid, 0) / (gaps + 1))::numeric * (
                CASE WHEN gaps = 0 THEN %(comes_back)s::float8 ELSE 1 END * {year} / usual
            )::numeric, 2) AS at_stake
        FROM paced
        UNION ALL
        SELECT contact_id, 'engagement', came_at, at, 0, NULL,
            COALESCE(lead(came_at) OVER (PARTITION BY contact_id ORDER BY came_at), first_order_at),
            %(quiet_cooling)s, %(quiet_at_risk)s, %(quiet_lost)s, 0
        FROM signs
    ),
    bounded AS (
        SELECT *, at + make_interval(secs => cooling_days * 86400) AS cooling_at,
            at + make_interval(secs => at_risk_days * 86400) AS at_risk_at,
            at + make_interval(secs => lost_days * 86400) AS lost_at
        FROM timed
    ),
    marks AS (
        SELECT b.*, COALESCE(lag(b.cooling_at) OVER w < b.came_at, true) AS came_back
        FROM bounded AS b
        WINDOW w AS (PARTITION BY b.contact_id, b.clock ORDER BY b.came_at)
    )
"""

_TURNS = """
    turns AS (
        SELECT m.contact_id, m.clock, m.at_stake, t.state, t.severity, t.at
        FROM marks AS m
        CROSS JOIN LATERAL (VALUES
            ('active', 0, m.came_at), ('cooling', 1, m.cooling_at),
            ('at_risk', 2, m.at_risk_at), ('lost', 3, m.lost_at)
        ) AS t (state, severity, at)
        WHERE t.at <= %(now)s
            AND CASE WHEN t.severity = 0 THEN m.came_back ELSE t.at < COALESCE(m.next_at, 'infinity') END
    )
"""


def marks(among: Sequence[UUID] | None = None, *, history: str = "") -> str:
    """CTEs up to `marks`, the occasions in time, and `turns`, every change of state they led to.

    `history` is a query of (contact, instant) of all signs of life there were. Without it, only the last sign
    counts, and the one before it that was seen.
    """
    some = among is not None
    told = f"SELECT h.* FROM ({history}) AS h (contact_id, at) JOIN who ON who.id = h.contact_id"  # noqa: S608
    signs = f"{LAST_SIGN} UNION ALL {told if history else SIGN_BEFORE}"
    return (
        _MARKS.format(
            of_contact="AND c.id = ANY(%(among)s::uuid[])" if some else "",
            of_order="AND o.contact_id = ANY(%(among)s::uuid[])" if some else "",
            signs=signs,
            year=YEAR_DAYS,
        )
        + ","
        + _TURNS
    )


def measures(
    now: datetime, rhythm: ShopRhythm, risk: RiskSettings, among: Sequence[UUID] | None = None
) -> dict[str, Any]:
    """What the CTEs take: the shop's figures and the marketers' thresholds."""
    return {
        "now": now,
        "zone": this_shop().time_zone,
        "among": None if among is None else list(among),
        "gap": rhythm.usual_gap_days,
        "pull": rhythm.pull,
        "comes_back": rhythm.comes_back,
        "once_cooling": rhythm.once_cooling_days,
        "once_at_risk": rhythm.once_at_risk_days,
        "once_lost": rhythm.once_lost_days,
        "cooling": risk.cooling_factor,
        "at_risk": risk.at_risk_factor,
        "lost": risk.lost_factor,
        "quiet_cooling": risk.quiet_cooling_days,
        "quiet_at_risk": risk.quiet_at_risk_days,
        "quiet_lost": risk.quiet_lost_days,
    }
