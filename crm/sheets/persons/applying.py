"""Bring a batch of judged rows in: new people, blanks filled or news taken over, addresses, history, upkeep.

The world may have moved since the rows were judged, so whose each is is looked up again, and people are
changed as they stand under the lock. What stood there before is kept with the row, for the undo.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection

from crm.kernel import tokens
from crm.models import Import
from crm.models.writing import key_at
from crm.people.permitted import after_a_gift, keep
from crm.people.stirring import OWN
from crm.sheets.persons import changing, companies
from crm.sheets.persons.changing import DIFFERS, NOW
from crm.sheets.persons.judging import FILLED
from crm.sheets.subjects import Applied, Overtaken

_BATCH = """
    CREATE TEMP TABLE import_batch ON COMMIT DROP AS
    SELECT r.number, r.told, r.email_hash, r.phone_hash, r.space, r.outside_id,
        e.id IS NULL AS free_email, p.id IS NULL AS free_phone, o.id IS NULL AS free_outside,
        COALESCE(e.contact_id, o.contact_id, p.contact_id) IS NULL AS is_new,
        COALESCE(e.contact_id, o.contact_id, p.contact_id,
            CASE WHEN r.verdict = 'new' THEN r.object_id END, {key}) AS contact_id
    FROM crm_importrow AS r
    LEFT JOIN crm_contactpoint AS e ON e.address_hash = r.email_hash AND e.channel = 'email'
    LEFT JOIN crm_outsideid AS o
        ON o.external_id = r.outside_id AND o.source = r.space AND o.kind = 'customer'
    LEFT JOIN crm_contactpoint AS p ON p.address_hash = r.phone_hash AND p.channel = 'sms'
    WHERE r.run_id = %(run)s AND r.number > %(after)s AND r.number <= %(upto)s
        AND r.verdict IN ('new', 'changed') AND r.object_id IS NOT NULL
"""
# Two rows that meet in one person only since they were judged come one after the other.
_MEET = """
    SELECT min(number) FROM (
        SELECT number, row_number() OVER (PARTITION BY contact_id ORDER BY number) AS place FROM import_batch
    ) AS b WHERE place > 1
"""
_LOCK = """
    SELECT id FROM crm_contact WHERE id IN (SELECT contact_id FROM import_batch WHERE NOT is_new)
    ORDER BY id FOR NO KEY UPDATE
"""
# Ways to know these people that nobody has yet. Of two that ask for one, the earlier row gets it.
_HANDLES = """
    CREATE TEMP TABLE import_handles ON COMMIT DROP AS
    SELECT DISTINCT ON (what, value, space) * FROM (
        SELECT number, contact_id, 'email' AS what, told->>'email' AS value, ''::text AS space,
            email_hash AS hash
        FROM import_batch WHERE email_hash IS NOT NULL AND free_email
        UNION ALL
        SELECT number, contact_id, 'phone', told->>'phone', '', phone_hash
        FROM import_batch WHERE phone_hash IS NOT NULL AND free_phone
        UNION ALL
        SELECT number, contact_id, 'external_id', outside_id, space, NULL
        FROM import_batch WHERE outside_id IS NOT NULL AND free_outside
        UNION ALL
        SELECT * FROM (
            SELECT (m->>'row')::bigint, contact_id, m->>'what' AS what, m->>'is' AS value,
                CASE WHEN m->>'what' = 'external_id' THEN m->>'by' ELSE '' END AS space,
                CASE WHEN m->>'what' <> 'external_id' THEN decode(m->>'by', 'hex') END AS hash
            FROM import_batch, jsonb_array_elements(told->'more') AS m WHERE told ? 'more'
        ) AS more
        WHERE CASE WHEN what = 'external_id' THEN NOT EXISTS (
                SELECT FROM crm_outsideid AS o
                WHERE o.external_id = more.value AND o.source = more.space AND o.kind = 'customer')
            ELSE NOT EXISTS (
                SELECT FROM crm_contactpoint AS c
                WHERE c.address_hash = more.hash
                    AND c.channel = CASE what WHEN 'phone' THEN 'sms' ELSE 'email' END)
            END
    ) AS h
    ORDER BY what, value, space, number
"""
# The first of each kind that somebody learns of becomes the one that is shown, where none was.
_COPIES = """
    CREATE TEMP TABLE import_copies ON COMMIT DROP AS
    SELECT contact_id, (array_agg(value ORDER BY number) FILTER (WHERE what = 'email'))[1] AS email,
        (array_agg(value ORDER BY number) FILTER (WHERE what = 'phone'))[1] AS phone,
        jsonb_agg(jsonb_build_array(what, value, space, encode(hash, 'hex'))) AS handles
    FROM import_handles GROUP BY contact_id
"""
_CREATE = """
    INSERT INTO crm_contact (id, company_id, first_name, last_name, email, phone, language, country,
        time_zone, tags, fields, source, is_test, created_at, recorded_at, updated_at)
    SELECT b.contact_id, k.id, COALESCE(told->>'first_name', ''), COALESCE(told->>'last_name', ''),
        COALESCE(c.email, ''), COALESCE(c.phone, ''), COALESCE(told->>'language', ''),
        COALESCE(told->>'country', ''), COALESCE(told->>'time_zone', ''), COALESCE(told->'tags', '[]'),
        COALESCE(told->'own', '{}'), COALESCE(told->>'source', 'import'), false, %(now)s, %(now)s, %(now)s
    FROM import_batch AS b LEFT JOIN import_copies AS c ON c.contact_id = b.contact_id
    LEFT JOIN import_companies AS k ON k.spelled = lower(told->>'company')
    WHERE b.is_new ORDER BY b.number
"""
# Looked up one by one: joined, the server reads everybody the file has made so far, whom it does not know of.
_POINTS = """
    INSERT INTO crm_contactpoint (id, contact_id, channel, address, address_hash, hash_key_id, status,
        is_primary, created_at)
    SELECT {key}, h.contact_id, CASE h.what WHEN 'phone' THEN 'sms' ELSE 'email' END, h.value, h.hash,
        %(key_id)s, 'ok', (
            SELECT CASE h.what WHEN 'phone' THEN c.phone ELSE c.email END = h.value
            FROM crm_contact AS c WHERE c.id = h.contact_id),
        %(now)s
    FROM import_handles AS h WHERE h.what <> 'external_id' ORDER BY h.hash
    ON CONFLICT DO NOTHING
"""
_OUTSIDE = """
    INSERT INTO crm_outsideid (id, source, kind, external_id, contact_id, created_at)
    SELECT {key}, space, 'customer', value, contact_id, %(now)s
    FROM import_handles WHERE what = 'external_id' ORDER BY value, space
    ON CONFLICT DO NOTHING
"""


Besides = Callable[[Any, dict[str, Any]], None]
"""Brings in what else the rows of a batch say of their people, as `import_batch` has them, with a cursor and
the values of the batch; what is to be kept with a row of that it notes in `import_besides`."""

_BESIDES = "CREATE TEMP TABLE import_besides (number bigint, note jsonb) ON COMMIT DROP"


def apply(
    run: Import, after: int, upto: int, now: datetime, *, overwrites: bool, besides: Besides | None = None
) -> Applied:
    """Bring in the rows after one number up to another."""
    values: dict[str, Any] = {"run": run.pk, "after": after, "upto": upto, "now": now, "actor": actor_of(run)}
    values["key_id"] = tokens.current_address_key()
    key = key_at(NOW)
    with connection.cursor() as cursor:
        cursor.execute(_BATCH.format(key=key), values)
        cursor.execute(_MEET)
        meet = cursor.fetchone()[0]
        if meet is not None:
            cursor.execute("DELETE FROM import_batch WHERE number >= %s", [meet])
            values["upto"] = meet - 1
        # What the planner does not know of a table it takes for a few rows, and compares each row of one with
        # all of another.
        cursor.execute("ANALYZE import_batch (number, contact_id, is_new)")
        cursor.execute(_LOCK)
        cursor.execute(_HANDLES)
        cursor.execute("ANALYZE import_handles (contact_id, what)")
        cursor.execute(_COPIES)
        cursor.execute("ANALYZE import_copies (contact_id)")
        companies.find_or_make(cursor, values, key)
        cursor.execute(_CREATE, values)
        made = cursor.rowcount
        updated = _change(cursor, values, overwrites)
        _attach(cursor, values, key)
        _keep_up(cursor, key, values)
        cursor.execute(_BESIDES)
        if besides:
            besides(cursor, values)
        cursor.execute(_NOTED, values)
        for table in ("batch", "handles", "copies", "companies", "changes", "besides"):
            cursor.execute(f"DROP TABLE import_{table}")
    return Applied(made, updated, reached=None if meet is None else meet - 1)


def actor_of(run: Import) -> str:
    """By whom history says it was done."""
    return run.made_by.get_username() if run.made_by else "import"


def _attach(cursor: Any, values: dict[str, Any], key: str) -> None:
    cursor.execute(
        "SELECT count(*) FILTER (WHERE what <> 'external_id'), count(*) FILTER (WHERE what = 'external_id')"
        " FROM import_handles"
    )
    points, outside = cursor.fetchone()
    if points:
        cursor.execute(_POINTS.format(key=key), values)
        points -= cursor.rowcount
    if outside:
        cursor.execute(_OUTSIDE.format(key=key), values)
        outside -= cursor.rowcount
    if points or outside:
        raise Overtaken


_TAKES = {
    False: {
        name: f"CASE WHEN c.{name} = '' THEN COALESCE(b.told->>'{name}', '') ELSE c.{name} END"
        for name in FILLED
    }
    | {
        "fields": "COALESCE(b.told->'own', '{}') || c.fields",
        "company_id": "COALESCE(c.company_id, k.id)",
    },
    True: {name: f"COALESCE(b.told->>'{name}', c.{name})" for name in FILLED}
    | {
        "fields": "c.fields || COALESCE(b.told->'own', '{}')",
        "company_id": "COALESCE(k.id, c.company_id)",
    },
}
_ALWAYS = {
    "tags": "c.tags || COALESCE((SELECT jsonb_agg(t) FROM jsonb_array_elements(b.told->'tags') AS t"
    " WHERE NOT c.tags @> t), '[]')",
    "email": "CASE WHEN c.email = '' THEN COALESCE(h.email, '') ELSE c.email END",
    "phone": "CASE WHEN c.phone = '' THEN COALESCE(h.phone, '') ELSE c.phone END",
}
_SOURCE = """
    import_batch AS b JOIN crm_contact AS c ON c.id = b.contact_id
    LEFT JOIN import_copies AS h ON h.contact_id = b.contact_id
    LEFT JOIN import_companies AS k ON k.spelled = lower(b.told->>'company')
    WHERE NOT b.is_new
"""
_COUNT = (
    "SELECT count(*) FROM import_changes AS n WHERE n.handles IS NOT NULL"  # noqa: S608 - our own columns
    f" OR {DIFFERS}"
)


def _change(cursor: Any, values: dict[str, Any], overwrites: bool) -> int:
    changing.compare(cursor, _SOURCE, _TAKES[overwrites] | _ALWAYS, "b.number, h.handles", values)
    cursor.execute("ANALYZE import_changes (id, number)")
    changing.store(cursor, values)
    cursor.execute(_COUNT)
    return cursor.fetchone()[0]


_STIR = f"""
    INSERT INTO crm_engagement (id, contact_id, order_count, spent, stirred)
    SELECT {{key}}, contact_id, 0, 0, {OWN} FROM import_batch ORDER BY contact_id
    ON CONFLICT (contact_id) DO UPDATE SET stirred = EXCLUDED.stirred
"""  # noqa: S608 - our own columns
_ASKED = """
    SELECT DISTINCT h.contact_id FROM import_handles AS h
    WHERE h.what <> 'external_id' AND EXISTS (
        SELECT FROM crm_consentstate AS s
        WHERE s.address_hash = h.hash AND s.channel = CASE h.what WHEN 'phone' THEN 'sms' ELSE 'email' END)
"""


def _keep_up(cursor: Any, key: str, values: dict[str, Any]) -> None:
    """Rules are asked again of these people; of whose address was heard of before, what they may get."""
    cursor.execute(_STIR.format(key=key), values)
    cursor.execute(_ASKED)
    keep(contact_id for (contact_id,) in cursor.fetchall())
    cursor.execute("SELECT hash FROM import_handles WHERE hash IS NOT NULL")
    after_a_gift(bytes(digest) for (digest,) in cursor.fetchall())


_SET = ", ".join(
    f"'{name}', CASE WHEN n.new_{name} <> n.old_{name} THEN jsonb_build_array(n.old_{name}, n.new_{name}) END"
    for name in (*FILLED, "email", "phone")
)
# The bounds are said once more: without, the server may look through all rows of the file for each batch.
_NOTED = f"""
    UPDATE crm_importrow AS r SET object_id = COALESCE(b.contact_id, r.object_id),
        verdict = CASE WHEN b.number IS NULL THEN r.verdict WHEN b.is_new THEN 'new' ELSE 'changed' END,
        before = CASE
            WHEN b.number IS NULL THEN COALESCE(r.before, jsonb_build_object('at', {NOW}))
            ELSE jsonb_strip_nulls(jsonb_build_object('at', {NOW}, 'made', k.id))
                || CASE WHEN b.is_new THEN '{{}}' ELSE jsonb_strip_nulls(jsonb_build_object({_SET},
                    'company', CASE WHEN n.new_company_id IS DISTINCT FROM n.old_company_id
                        THEN jsonb_build_array(COALESCE(n.old_company_id::text, ''), n.new_company_id) END,
                    'own', CASE WHEN n.new_fields <> n.old_fields THEN (
                        SELECT jsonb_agg(
                            jsonb_build_array(k, n.new_fields->k, n.old_fields->k, n.old_fields ? k))
                        FROM jsonb_object_keys(n.new_fields) AS k
                        WHERE n.new_fields->k IS DISTINCT FROM n.old_fields->k) END,
                    'tags', CASE WHEN n.new_tags <> n.old_tags THEN (
                        SELECT jsonb_agg(t) FROM jsonb_array_elements(n.new_tags) AS t
                        WHERE NOT n.old_tags @> t) END,
                    'handles', n.handles))
                END
            END || COALESCE(s.note, '{{}}')
    FROM import_batch AS b FULL JOIN import_besides AS s ON s.number = b.number
    LEFT JOIN import_changes AS n ON n.number = b.number
    LEFT JOIN import_companies AS k ON k.made_by = b.number
    WHERE r.run_id = %(run)s AND r.number = COALESCE(b.number, s.number)
        AND r.number > %(after)s AND r.number <= %(upto)s
"""  # noqa: S608 - our own columns
