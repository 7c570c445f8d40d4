"""Take an import of people back: whoever it made goes, whoever it changed is as before, field by field.

What was changed again since stays as it is now, and so does whoever lived on: bought, visited, was written to
or edited. Undoing never takes anything away that the import did not bring.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, ManyToOneRel

from crm.kernel.rules import AnyOf
from crm.models import Contact, ContactPoint, Engagement, Import, ImportRow, OutsideId, StageMove
from crm.people.identity import CUSTOMER
from crm.people.permitted import keep
from crm.people.stirring import stir_all
from crm.sheets.importing.living import referred_to
from crm.sheets.persons import changing
from crm.sheets.persons.applying import actor_of
from crm.sheets.persons.judging import FILLED
from crm.sheets.subjects import MADE, Undone

UPKEEP = frozenset(
    {
        "crm.ContactPoint",
        "crm.ContactChange",
        "crm.Engagement",
        "crm.Lead",
        "crm.ScoreChange",
        "crm.StageMove",
        "crm.SegmentMembership",
        "crm.Standing",
        "crm.StandingMove",
        "crm.ContactStatus",
    }
)
"""Tables that say of a person what the program worked out. A row in any other is a sign of life."""

_BACK = {
    name: f"CASE WHEN c.{name} = b.before->'{name}'->>1 THEN b.before->'{name}'->>0 ELSE c.{name} END"
    for name in (*FILLED, "email", "phone")
} | {
    "company_id": "CASE WHEN c.company_id::text = b.before->'company'->>1"
    " THEN NULLIF(b.before->'company'->>0, '')::uuid ELSE c.company_id END",
    # Of each field its key, what it became, what it was, and whether it was there at all.
    "fields": "(c.fields - ARRAY(SELECT o->>0 FROM jsonb_array_elements(b.before->'own') AS o"
    " WHERE c.fields->(o->>0) = o->1)) || COALESCE((SELECT jsonb_object_agg(o->>0, o->2)"
    " FROM jsonb_array_elements(b.before->'own') AS o"
    " WHERE c.fields->(o->>0) = o->1 AND (o->>3)::boolean), '{}')",
    "tags": "CASE WHEN b.before ? 'tags' THEN COALESCE((SELECT jsonb_agg(t.tag ORDER BY t.place)"
    " FROM jsonb_array_elements(c.tags) WITH ORDINALITY AS t(tag, place)"
    " WHERE NOT b.before->'tags' @> t.tag), '[]') ELSE c.tags END",
}
_CHANGED = """
    run_id = %(run)s AND number > %(after)s AND number <= %(upto)s AND before IS NOT NULL
        AND object_id IS NOT NULL AND verdict <> 'new'
"""
_LOCK = f"""
    SELECT id FROM crm_contact WHERE id IN (SELECT object_id FROM crm_importrow WHERE {_CHANGED})
    ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608 - our own columns
_SOURCE = f"""
    (SELECT DISTINCT ON (object_id) object_id, before FROM crm_importrow WHERE {_CHANGED}
        ORDER BY object_id, number) AS b
    JOIN crm_contact AS c ON c.id = b.object_id
"""  # noqa: S608 - our own columns
# Ways to know people that the import told us of.
_HANDLES = """
    CREATE TEMP TABLE import_handles ON COMMIT DROP AS
    SELECT n.id AS contact_id, h->>0 AS what, h->>1 AS value, h->>2 AS space, decode(h->>3, 'hex') AS hash
    FROM import_changes AS n, jsonb_array_elements(n.before->'handles') AS h
"""
_POINTS = """
    DELETE FROM crm_contactpoint AS p USING import_handles AS h
    WHERE h.what <> 'external_id' AND p.address_hash = h.hash AND p.contact_id = h.contact_id
"""
_OUTSIDE = """
    DELETE FROM crm_outsideid AS o USING import_handles AS h
    WHERE h.what = 'external_id' AND o.external_id = h.value AND o.source = h.space AND o.kind = 'customer'
        AND o.contact_id = h.contact_id
"""


def undo(run: Import, after: int, upto: int, now: datetime) -> Undone:
    """Take back what the rows after one number up to another did, in a fixed number of queries."""
    rows = ImportRow.objects.filter(
        run=run, number__gt=after, number__lte=upto, before__isnull=False, object_id__isnull=False
    )
    told = rows.filter(verdict=ImportRow.Verdict.NEW).values_list("object_id", "before__at")
    made = {pk: at for pk, at in told if pk}
    lived = lived_on(made)
    gone = [pk for pk in made if pk not in lived]
    _delete(gone)
    changed = _put_back({"run": run.pk, "after": after, "upto": upto, "now": now, "actor": actor_of(run)})
    rows.exclude(before__has_key=MADE).update(before=None)
    return Undone(len(gone) + changed, len(lived))


def _delete(people: list[UUID]) -> None:
    """These people, and what the program worked out of them. Whoever came to be spoken of elsewhere since we
    looked stays: the database refuses, and the batch is begun anew.
    """
    with connection.cursor() as cursor:
        for relation in Contact._meta.get_fields(include_hidden=True):
            if isinstance(relation, ManyToOneRel) and relation.related_model._meta.label in UPKEEP:
                table, column = relation.related_model._meta.db_table, relation.field.name
                cursor.execute(
                    f"DELETE FROM {table} WHERE {column}_id = ANY(%s)",  # noqa: S608 - our own columns
                    [people],
                )
        cursor.execute(
            "DELETE FROM crm_outsideid WHERE kind = %s AND contact_id = ANY(%s)", [CUSTOMER, people]
        )
        cursor.execute("DELETE FROM crm_contact WHERE id = ANY(%s)", [people])


def _put_back(values: Mapping[str, Any]) -> int:
    """Whoever these rows changed is as before, field by field, where nothing changed it again; addresses and
    numbers the import told us of are theirs no longer. Returns how many people that was about.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, values)
        changed = changing.compare(cursor, _SOURCE, _BACK, "c.id AS contact_id, b.before", values)
        cursor.execute("ANALYZE import_changes (id, contact_id)")
        changing.store(cursor, values)
        stir_all("import_changes")
        cursor.execute(_HANDLES)
        cursor.execute("ANALYZE import_handles (contact_id, what)")
        cursor.execute(_POINTS)
        cursor.execute(_OUTSIDE)
        cursor.execute("SELECT DISTINCT contact_id FROM import_handles")
        keep(contact_id for (contact_id,) in cursor.fetchall())
        cursor.execute("DROP TABLE import_changes, import_handles")
    return changed


def lived_on(made: Mapping[UUID, str], but: Collection[str] = ()) -> set[UUID]:
    """Which of these new people something has happened to since. `but`: moments that do not count."""
    people = list(made)
    touched = set(
        Contact.objects.filter(AnyOf(F("pk"), people))
        .exclude(updated_at__in=set(made.values()))
        .values_list("pk", flat=True)
    )
    touched |= referred_to(Contact, people, UPKEEP)
    by_hand = StageMove.objects.filter(AnyOf(F("contact_id"), people), by_rule=False, is_backfill=False)
    touched |= set(by_hand.values_list("contact_id", flat=True))
    for rows in (ContactPoint.objects, OutsideId.objects.filter(kind=CUSTOMER)):
        theirs = rows.filter(AnyOf(F("contact_id"), people)).exclude(created_at__in=set(made.values()))
        touched |= set(theirs.values_list("contact_id", flat=True))
    quiet = {
        f"{name}__isnull": True
        for name in (
            "last_seen_at",
            "last_cart_at",
            "last_click_at",
            "last_open_at",
            "last_order_at",
            "last_reply_at",
        )
        if name not in but
    }
    alive = Engagement.objects.filter(AnyOf(F("contact_id"), people)).exclude(**quiet, order_count=0)
    return touched | set(alive.values_list("contact_id", flat=True))
