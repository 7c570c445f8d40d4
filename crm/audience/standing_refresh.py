"""The one statement that compares where people stand with where they stood, and writes what moved.

Read from above: where each stands by what is known now (`fresh`), beside where they stood; the turns since
the last look, as far as they lead anywhere new (`chain`); what is decided of each; and then the rows, the
moves, and that whoever changed has been written about.
"""

from crm.models.writing import UUID7
from crm.people.stirring import OWN

_COLUMNS = (
    "clock, state, since, last_at, usual_gap_days, gaps, cooling_at, at_risk_at, lost_at, turns_at, at_stake"
)
_SET = ", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS.split(", "))
_STORED = ", ".join(f"s.{name}" for name in _COLUMNS.split(", "))
_TOLD = ", ".join(f"EXCLUDED.{name}" for name in _COLUMNS.split(", "))
_SEVERITY = "array_position(ARRAY['active', 'cooling', 'at_risk', 'lost'], {}) - 1"
_ID = UUID7.replace("%s", "%(milliseconds)s")

STATEMENT = f"""
    WITH {{marks}},
    latest AS (
        SELECT m.*, max(CASE WHEN came_back THEN came_at END) OVER (PARTITION BY contact_id) AS back_at
        FROM marks AS m
    ),
    fresh AS (
        SELECT *, CASE WHEN lost_at <= %(now)s THEN 'lost' WHEN at_risk_at <= %(now)s THEN 'at_risk'
            WHEN cooling_at <= %(now)s THEN 'cooling' ELSE 'active' END AS state
        FROM latest WHERE next_at IS NULL
    ),
    beside AS MATERIALIZED (
        SELECT f.*,
            CASE f.state WHEN 'lost' THEN f.lost_at WHEN 'at_risk' THEN f.at_risk_at
                WHEN 'cooling' THEN f.cooling_at ELSE COALESCE(f.back_at, f.came_at) END AS since,
            {_SEVERITY.format("f.state")} AS severity, {_SEVERITY.format("s.state")} AS was_severity,
            s.state AS was, s.clock AS was_clock, s.since AS was_since,
            (s.clock, s.gaps, s.last_at) IS NOT DISTINCT FROM (f.clock, f.gaps::int, f.at) AS is_unmoved
        FROM fresh AS f LEFT JOIN crm_standing AS s ON s.contact_id = f.contact_id
    ),
    turned AS (
        SELECT t.*, b.was, b.was_clock, b.was_severity,
            bool_or(t.severity = 0) OVER (PARTITION BY t.contact_id ORDER BY t.at, t.severity) AS has_acted
        FROM turns AS t JOIN beside AS b ON b.contact_id = t.contact_id
        WHERE t.at > GREATEST(%(until)s, b.was_since) AND b.was IS NOT NULL AND NOT %(anew)s
    ),
    chain AS (
        SELECT contact_id, clock, state, at, at_stake,
            lag(state, 1, was::text) OVER w AS from_state,
            lag(clock, 1, was_clock::text) OVER w AS from_clock,
            row_number() OVER (PARTITION BY contact_id ORDER BY at DESC, severity DESC) = 1 AS is_last
        FROM turned WHERE has_acted OR severity > was_severity OR clock <> was_clock
        WINDOW w AS (PARTITION BY contact_id ORDER BY at, severity)
    ),
    decided AS MATERIALIZED (
        SELECT b.*, c.contact_id IS NOT NULL AS is_chained,
            CASE WHEN c.contact_id IS NOT NULL THEN c.state
                WHEN b.is_unmoved AND NOT %(anew)s AND b.severity < b.was_severity THEN b.was
                ELSE b.state END AS now_state,
            CASE WHEN c.contact_id IS NOT NULL THEN c.at
                WHEN b.was IS NULL THEN b.since
                WHEN b.clock = b.was_clock AND b.state = b.was THEN b.was_since
                WHEN b.is_unmoved AND NOT %(anew)s AND b.severity < b.was_severity THEN b.was_since
                WHEN b.is_unmoved AND NOT %(anew)s THEN %(now)s
                WHEN b.state = 'active' AND NOT %(anew)s THEN b.came_at
                ELSE b.since END AS now_since
        FROM beside AS b LEFT JOIN chain AS c ON c.contact_id = b.contact_id AND c.is_last
    ),
    stored AS (
        INSERT INTO crm_standing AS s (id, contact_id, {_COLUMNS})
        SELECT {_ID}, contact_id, clock, now_state, now_since, at, usual, gaps,
            cooling_at, at_risk_at, lost_at,
            CASE now_state WHEN 'active' THEN cooling_at WHEN 'cooling' THEN at_risk_at
                WHEN 'at_risk' THEN lost_at END,
            at_stake
        FROM decided ORDER BY contact_id
        ON CONFLICT (contact_id) DO UPDATE SET {_SET} WHERE ({_STORED}) IS DISTINCT FROM ({_TOLD})
        RETURNING s.contact_id
    ),
    gone AS (
        DELETE FROM crm_standing AS s
        WHERE NOT EXISTS (SELECT FROM fresh WHERE fresh.contact_id = s.contact_id) {{of_standing}}
        RETURNING s.contact_id, s.clock, s.state, s.at_stake
    ),
    moved AS (
        INSERT INTO crm_standingmove
            (id, contact_id, clock, from_state, to_state, at_stake, occurred_at, recorded_at, is_backfill)
        SELECT {_ID}, m.contact_id, m.clock, m.from_state, m.to_state, m.at_stake, m.at, %(now)s, false
        FROM (
            SELECT contact_id, clock, from_state, state AS to_state, at_stake, at FROM chain
            WHERE (state, clock) IS DISTINCT FROM (from_state, from_clock)
            UNION ALL
            SELECT contact_id, clock, COALESCE(was, ''), now_state, at_stake, now_since FROM decided
            WHERE NOT is_chained AND (now_state, clock::text) IS DISTINCT FROM (was, was_clock)
            UNION ALL
            SELECT contact_id, clock, state, '', at_stake, %(now)s FROM gone
        ) AS m
        WHERE %(with_moves)s
        RETURNING 1
    ),
    stirred AS (
        INSERT INTO crm_engagement (id, contact_id, order_count, spent, stirred)
        SELECT {_ID}, contact_id, 0, 0, {OWN}
        FROM (SELECT contact_id FROM stored UNION SELECT contact_id FROM gone) AS c ORDER BY contact_id
        ON CONFLICT (contact_id) DO UPDATE SET stirred = EXCLUDED.stirred
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM stored) + (SELECT count(*) FROM gone), (SELECT count(*) FROM moved)
"""  # noqa: S608 - our own columns
