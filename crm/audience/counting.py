"""How many stand where at the end of each day, with their money: kept for charts, read off the moves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from crm.shop.settings import this_shop

_NOW = """
    INSERT INTO crm_standingday (on_day, clock, state, people, at_stake, counted_at)
    SELECT %(last)s, clock, state, count(*), sum(at_stake), %(now)s FROM crm_standing GROUP BY clock, state
    ON CONFLICT (on_day, clock, state) DO UPDATE
        SET people = EXCLUDED.people, at_stake = EXCLUDED.at_stake, counted_at = EXCLUDED.counted_at
"""
# Each stay adds its person on the day it began and takes them off on the day it ended.
_DAYS = """
    WITH stays AS (
        SELECT clock, to_state AS state, occurred_at AS came_at, at_stake,
            lead(occurred_at) OVER (PARTITION BY contact_id ORDER BY recorded_at, occurred_at) AS left_at
        FROM crm_standingmove WHERE occurred_at <= %(now)s
    ),
    changes AS (
        SELECT clock, state, (came_at AT TIME ZONE %(zone)s)::date AS on_day, 1 AS people, at_stake
        FROM stays WHERE state <> ''
        UNION ALL
        SELECT clock, state, (left_at AT TIME ZONE %(zone)s)::date, -1, -at_stake
        FROM stays WHERE state <> '' AND left_at IS NOT NULL
    ),
    daily AS (
        SELECT clock, state, GREATEST(on_day, %(first)s::date) AS on_day,
            sum(people) AS people, sum(at_stake) AS at_stake
        FROM changes WHERE on_day <= %(last)s GROUP BY 1, 2, 3
    ),
    sides AS (SELECT DISTINCT clock, state FROM daily)
    INSERT INTO crm_standingday (on_day, clock, state, people, at_stake, counted_at)
    SELECT d.on_day, s.clock, s.state,
        GREATEST(sum(COALESCE(y.people, 0)) OVER w, 0),
        GREATEST(sum(COALESCE(y.at_stake, 0)) OVER w, 0), %(now)s
    FROM sides AS s
    CROSS JOIN (SELECT generate_series(%(first)s::date, %(last)s::date, '1 day')::date AS on_day) AS d
    LEFT JOIN daily AS y ON y.clock = s.clock AND y.state = s.state AND y.on_day = d.on_day
    WINDOW w AS (PARTITION BY s.clock, s.state ORDER BY d.on_day)
    ON CONFLICT (on_day, clock, state) DO UPDATE
        SET people = EXCLUDED.people, at_stake = EXCLUDED.at_stake, counted_at = EXCLUDED.counted_at
"""


def count_until(last: date, counted: date | None, now: datetime) -> None:
    """The counts of the day that has just ended; of days nobody counted, what the moves say."""
    if counted is not None and counted + timedelta(days=1) < last:
        count_from_moves(counted + timedelta(days=1), last - timedelta(days=1), now)
    _run(_NOW, {"last": last, "now": now})


def count_from_moves(first: date, last: date, now: datetime) -> None:
    """The counts of past days, added up from everybody's moves."""
    _run(_DAYS, {"first": first, "last": last, "now": now, "zone": this_shop().time_zone})


def _run(statement: str, params: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
