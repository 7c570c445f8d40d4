"""Several rows of one thing, made one: the first stands for all, and holds the lines of the others.

All of it happens in the database. What a row says of the thing itself fills what rows before it left out;
what it says of a line of it (`line`) is put after theirs. A row that says whose further line it is (`parent`)
belongs to the row with that key, or that article number; one that says nothing of the thing at all belongs to
the one above it.

Of rows that have only just been copied in the planner knows nothing, so whatever is joined with them lies in
a table of its own with an index: no plan it can choose looks at all rows for each of them.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from crm.models import Import

MOST_LINES = 1000

_KEYS = """
    CREATE TEMP TABLE import_keys ON COMMIT DROP AS
    SELECT number, space, outside_id, verdict IS NOT DISTINCT FROM 'refused' AS is_wrong,
        told->>'parent' AS parent, told->>'sku' AS sku
    FROM crm_importrow WHERE run_id = %(run)s
"""
_ABOVE = """
    UPDATE import_keys AS k SET outside_id = up.outside_id, space = up.space
    FROM (
        SELECT number, max(number) FILTER (WHERE outside_id IS NOT NULL) OVER (ORDER BY number) AS place
        FROM import_keys
    ) AS n JOIN import_keys AS up ON up.number = n.place
    WHERE k.number = n.number AND k.outside_id IS NULL AND NOT k.is_wrong
"""
_NAMED = """
    CREATE TEMP TABLE import_named ON COMMIT DROP AS
    SELECT DISTINCT ON (name) name, outside_id, space FROM (
        SELECT outside_id AS name, outside_id, space, number FROM import_keys WHERE parent IS NULL
        UNION ALL
        SELECT sku, outside_id, space, number FROM import_keys WHERE parent IS NULL AND sku IS NOT NULL
    ) AS named WHERE outside_id IS NOT NULL ORDER BY name, number
"""
_PARENTS = """
    UPDATE import_keys AS k SET outside_id = n.outside_id, space = n.space, parent = NULL
    FROM import_named AS n WHERE n.name = k.parent
"""
_MOVED = """
    UPDATE crm_importrow AS r SET outside_id = k.outside_id, space = k.space,
        verdict = CASE WHEN k.parent IS NULL THEN r.verdict ELSE 'refused' END,
        reason = CASE WHEN k.parent IS NULL OR r.verdict = 'refused' THEN r.reason
            ELSE 'Its ' || %(one)s || ' “' || left(k.parent, 60) || '” is in no row of this file.' END
    FROM import_keys AS k
    WHERE r.run_id = %(run)s AND r.number = k.number
        AND (r.outside_id IS DISTINCT FROM k.outside_id OR k.parent IS NOT NULL)
"""
_GROUPS = """
    CREATE TEMP TABLE import_groups ON COMMIT DROP AS SELECT * FROM (
        SELECT number, min(number) OVER whole AS leader, count(*) OVER whole AS members,
            min(number) FILTER (WHERE is_wrong OR parent IS NOT NULL) OVER whole AS wrong
        FROM import_keys WHERE outside_id IS NOT NULL
        WINDOW whole AS (PARTITION BY space, outside_id)
    ) AS g WHERE members > 1
"""
# What is brought in is brought in whole: half an order is another order.
_REFUSE = """
    UPDATE crm_importrow AS r SET verdict = 'refused',
        reason = CASE WHEN g.wrong IS NOT NULL
            THEN 'Row ' || g.wrong || ' of the same ' || %(one)s || ' is refused: mend it, and all come in.'
            ELSE 'One ' || %(one)s || ' has ' || %(most)s || ' lines at most.' END
    FROM import_groups AS g
    WHERE r.run_id = %(run)s AND r.number = g.number AND r.verdict IS NULL
        AND (g.wrong IS NOT NULL OR g.members > %(most)s)
"""
_SAID = """
    CREATE TEMP TABLE import_said ON COMMIT DROP AS
    SELECT g.leader, r.number, r.told->'line' AS line, r.told - 'line' - 'lines' - 'parent' AS head
    FROM import_groups AS g JOIN crm_importrow AS r ON r.run_id = %(run)s AND r.number = g.number
    WHERE r.verdict IS NULL
"""
_FOLDED = """
    CREATE TEMP TABLE import_folded ON COMMIT DROP AS
    SELECT l.leader, l.lines, h.head FROM (
        SELECT leader,
            COALESCE(jsonb_agg(line ORDER BY number) FILTER (WHERE line IS NOT NULL), '[]') AS lines
        FROM import_said GROUP BY leader
    ) AS l LEFT JOIN (
        SELECT leader, jsonb_object_agg(key, value ORDER BY number DESC) AS head
        FROM import_said CROSS JOIN LATERAL jsonb_each(head) WHERE head <> '{}' GROUP BY leader
    ) AS h ON h.leader = l.leader
"""
_LEADERS = """
    UPDATE crm_importrow AS r SET told = COALESCE(f.head, '{}') || jsonb_build_object('lines', f.lines)
    FROM import_folded AS f WHERE r.run_id = %(run)s AND r.number = f.leader
"""
_FURTHER = """
    UPDATE crm_importrow AS r SET verdict = 'further',
        reason = concat_ws('; ', r.reason, 'goes on with row ' || s.leader)
    FROM import_said AS s WHERE r.run_id = %(run)s AND r.number = s.number AND s.number <> s.leader
"""
_TABLES = {"keys": "number", "named": "name", "groups": "number", "said": "number", "folded": "leader"}


def fold(run: Import, one: str) -> None:
    """Let the first row of each thing stand for all of it; `one` is what a thing is called in words."""
    values: dict[str, Any] = {"run": run.pk, "one": one, "most": MOST_LINES}
    steps = {
        "keys": (_KEYS, _ABOVE),
        "named": (_NAMED, _PARENTS, _MOVED),
        "groups": (_GROUPS, _REFUSE),
        "said": (_SAID,),
        "folded": (_FOLDED, _LEADERS, _FURTHER),
    }
    with connection.cursor() as cursor:
        for table, (making, *using) in steps.items():
            cursor.execute(making, values)
            cursor.execute(f"CREATE INDEX ON import_{table} ({_TABLES[table]})")
            cursor.execute(f"ANALYZE import_{table}")
            for statement in using:
                cursor.execute(statement, values)
        for table in _TABLES:
            cursor.execute(f"DROP TABLE import_{table}")
