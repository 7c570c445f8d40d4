"""Whose each row of a file is, and what it would do: the bulk twin of `crm.people.identity.resolve`.

Of the ways to know somebody (address, outside id, number, in this order) the first that is known decides: to
the database, or by a row before. A row that is known by one before points at it; pointers only go back, so
following them ends at a person of the database or at the row that makes a new one. All of it happens in the
database; in Python only rows that share a person with others, one person at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from crm.kernel.work import in_batches
from crm.models import Import, ImportRow
from crm.models.writing import key_at
from crm.sheets.persons.folding import Folded, fold

Verdict = ImportRow.Verdict
FILLED = ("first_name", "last_name", "language", "country", "time_zone")
_BATCH = 2000

_KEYS = """
    CREATE TEMP TABLE import_keys ON COMMIT DROP AS
    SELECT number, email_hash, phone_hash, space, outside_id FROM crm_importrow
    WHERE run_id = %s AND verdict IS DISTINCT FROM 'refused'
"""
_FIRST = """
    CREATE TEMP TABLE {name} ON COMMIT DROP AS
    SELECT {columns}, min(number) AS first FROM import_keys WHERE {column} IS NOT NULL
    GROUP BY {columns} HAVING count(*) > 1
"""
_FIRSTS = {
    "import_first_email": ("email_hash", "email_hash"),
    "import_first_phone": ("phone_hash", "phone_hash"),
    "import_first_outside": ("outside_id", "space, outside_id"),
}
_PLACED = """
    CREATE TEMP TABLE import_placed ON COMMIT DROP AS
    SELECT k.number,
        CASE WHEN ce.contact_id IS NOT NULL THEN ce.contact_id WHEN fe.first < k.number THEN NULL
            WHEN co.contact_id IS NOT NULL THEN co.contact_id WHEN fo.first < k.number THEN NULL
            WHEN fp.first < k.number AND cp.contact_id IS NULL THEN NULL ELSE cp.contact_id END AS owner,
        CASE WHEN ce.contact_id IS NOT NULL THEN k.number WHEN fe.first < k.number THEN fe.first
            WHEN co.contact_id IS NOT NULL THEN k.number WHEN fo.first < k.number THEN fo.first
            WHEN cp.contact_id IS NOT NULL THEN k.number WHEN fp.first < k.number THEN fp.first
            ELSE k.number END AS parent,
        (k.email_hash IS NOT NULL AND ce.contact_id IS NULL AND COALESCE(fe.first, k.number) = k.number)
            AS fresh_email,
        (k.phone_hash IS NOT NULL AND cp.contact_id IS NULL AND COALESCE(fp.first, k.number) = k.number)
            AS fresh_phone,
        (k.outside_id IS NOT NULL AND co.contact_id IS NULL AND COALESCE(fo.first, k.number) = k.number)
            AS fresh_outside
    FROM import_keys AS k
    LEFT JOIN crm_contactpoint AS ce ON ce.address_hash = k.email_hash AND ce.channel = 'email'
    LEFT JOIN crm_contactpoint AS cp ON cp.address_hash = k.phone_hash AND cp.channel = 'sms'
    LEFT JOIN crm_outsideid AS co
        ON co.external_id = k.outside_id AND co.source = k.space AND co.kind = 'customer'
    LEFT JOIN import_first_email AS fe ON fe.email_hash = k.email_hash
    LEFT JOIN import_first_phone AS fp ON fp.phone_hash = k.phone_hash
    LEFT JOIN import_first_outside AS fo ON fo.outside_id = k.outside_id AND fo.space = k.space
"""
_JUMP = """
    UPDATE import_placed AS child SET parent = up.parent FROM import_placed AS up
    WHERE up.number = child.parent AND up.parent <> up.number
"""
_ROOT = """
    UPDATE import_placed AS child SET owner = root.owner FROM import_placed AS root
    WHERE root.number = child.parent AND child.parent <> child.number AND root.owner IS NOT NULL
"""
_GROUPS = """
    CREATE TEMP TABLE import_groups ON COMMIT DROP AS
    SELECT owner, CASE WHEN owner IS NULL THEN parent END AS root, min(number) AS leader
    FROM import_placed GROUP BY 1, 2 HAVING count(*) > 1
"""
_MEMBERS = """
    SELECT g.leader, r.number, r.told, encode(r.email_hash, 'hex'), encode(r.phone_hash, 'hex'), r.space,
        p.fresh_email, p.fresh_phone, p.fresh_outside,
        to_jsonb(c) - 'created_at' - 'updated_at' - 'recorded_at' AS contact
    FROM import_groups AS g
    JOIN import_placed AS p ON p.owner IS NOT DISTINCT FROM g.owner
        AND CASE WHEN p.owner IS NULL THEN p.parent END IS NOT DISTINCT FROM g.root
    JOIN crm_importrow AS r ON r.run_id = %s AND r.number = p.number
    LEFT JOIN crm_contact AS c ON c.id = p.owner
    ORDER BY g.leader, r.number
"""
_FOLLOWERS = """
    UPDATE crm_importrow AS r SET verdict = f.verdict, reason = concat_ws('; ', r.reason, f.reason),
        object_id = NULL
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS f(number, verdict, reason)
    WHERE r.run_id = %s AND r.number = f.number
"""
_LEADERS = """
    UPDATE crm_importrow AS r SET told = l.told
    FROM unnest(%s::bigint[], %s::jsonb[]) AS l(number, told) WHERE r.run_id = %s AND r.number = l.number
"""
_JUDGE = """
    UPDATE crm_importrow AS r SET object_id = COALESCE(p.owner, {new_key}),
        verdict = CASE WHEN p.owner IS NULL THEN 'new'
            WHEN p.fresh_email OR p.fresh_phone OR p.fresh_outside OR r.told ? 'more' OR {news} THEN 'changed'
            ELSE 'unchanged' END
    FROM import_placed AS p
    LEFT JOIN crm_contact AS c ON c.id = p.owner
    WHERE r.run_id = %s AND r.number = p.number
        AND NOT EXISTS (SELECT FROM import_followers AS f WHERE f.number = p.number)
"""
_FILL_NEWS = (
    "(r.told ? 'company' AND c.company_id IS NULL)",
    *(f"(r.told ? '{name}' AND c.{name} = '')" for name in FILLED),
    "NOT c.tags @> COALESCE(r.told->'tags', '[]')",
    "NOT c.fields ?& ARRAY(SELECT jsonb_object_keys(r.told->'own'))",
)
_OVERWRITE_NEWS = (
    "(r.told ? 'company' AND lower(r.told->>'company') IS DISTINCT FROM"
    " (SELECT lower(k.name) FROM crm_company AS k WHERE k.id = c.company_id))",
    *(f"(r.told->>'{name}' <> c.{name})" for name in FILLED),
    "NOT c.tags @> COALESCE(r.told->'tags', '[]')",
    "NOT c.fields @> COALESCE(r.told->'own', '{}')",
)


def judge(run: Import, now: datetime, *, overwrites: bool) -> None:
    """Say of each row whose it is and what it would do. `overwrites`: the file is newer than we are."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crm_importrow SET verdict = NULL WHERE run_id = %s AND verdict <> 'refused'", [run.pk]
        )
        _place(cursor, run)
        cursor.execute("CREATE TEMP TABLE import_followers (number bigint PRIMARY KEY) ON COMMIT DROP")
        _fold(cursor, run, overwrites)
        news = " OR ".join(
            f"COALESCE({one}, false)" for one in (_OVERWRITE_NEWS if overwrites else _FILL_NEWS)
        )
        cursor.execute(_JUDGE.format(new_key=key_at("%s::timestamptz"), news=news), [now, run.pk])
        for table in ("keys", "placed", "groups", "followers", *(f"first_{one}" for one in _SHORT)):
            cursor.execute(f"DROP TABLE import_{table}")


_SHORT = ("email", "phone", "outside")


def _place(cursor: Any, run: Import) -> None:
    cursor.execute(_KEYS, [run.pk])
    cursor.execute("ANALYZE import_keys")
    for name, (column, columns) in _FIRSTS.items():
        cursor.execute(_FIRST.format(name=name, column=column, columns=columns))
        cursor.execute(f"ANALYZE {name}")
    cursor.execute(_PLACED)
    cursor.execute("SELECT count(*) FROM import_placed WHERE parent <> number")
    if cursor.fetchone()[0]:
        cursor.execute("CREATE INDEX ON import_placed (number)")
        cursor.execute("ANALYZE import_placed")
        cursor.execute(_JUMP)
        while cursor.rowcount:
            cursor.execute(_JUMP)
        cursor.execute(_ROOT)
    cursor.execute("ANALYZE import_placed")
    cursor.execute(_GROUPS)
    cursor.execute("ANALYZE import_groups")


def _fold(cursor: Any, run: Import, overwrites: bool) -> None:
    """Rows of one person become what its first row says; the others say what they added."""
    cursor.execute("SELECT EXISTS (SELECT FROM import_groups)")
    if not cursor.fetchone()[0]:
        return
    for batch in in_batches(_folded(run, overwrites), _BATCH):
        followers = [one for folded in batch for one in folded.followers]
        numbers = [number for number, _, _ in followers]
        cursor.execute(
            _FOLLOWERS, [numbers, [one[1] for one in followers], [one[2] for one in followers], run.pk]
        )
        cursor.execute("INSERT INTO import_followers SELECT unnest(%s::bigint[])", [numbers])
        leaders = [folded.leader for folded in batch]
        cursor.execute(_LEADERS, [leaders, [Jsonb(folded.told) for folded in batch], run.pk])
    cursor.execute("ANALYZE import_followers")


def _folded(run: Import, overwrites: bool) -> Iterator[Folded]:
    # A cursor of the server: one person's rows are in memory, however many share theirs.
    with connection.chunked_cursor() as reading:
        reading.execute(_MEMBERS, [run.pk])
        rows = iter(lambda: reading.fetchmany(_BATCH), [])
        for leader, members in groupby((row for some in rows for row in some), key=lambda row: row[0]):
            yield fold(leader, members, overwrites)
