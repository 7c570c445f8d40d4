"""Take an import of people back: whoever it made goes, whoever it changed is as before, field by field.

What was changed again since stays as it is now, and so does whoever lived on: bought, visited, was written to
or edited. Undoing never takes anything away that the import did not bring.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.models import Company, Contact, ContactPoint, Engagement, Import, ImportRow, OutsideId, StageMove
from crm.models.writing import update_rows
from crm.people import changes
from crm.people.identity import CUSTOMER
from crm.people.permitted import keep
from crm.sheets.importing.living import referred_to
from crm.sheets.persons.applying import actor_of
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

_PLAIN = ("first_name", "last_name", "email", "phone")
_RULED = ("language", "country", "time_zone")


def undo(run: Import, after: int, upto: int, now: datetime) -> Undone:
    """Take back what the rows after one number up to another did."""
    rows = ImportRow.objects.filter(
        run=run, number__gt=after, number__lte=upto, before__isnull=False, object_id__isnull=False
    )
    told = list(rows.values_list("verdict", "object_id", "before"))
    made = {pk: before["at"] for verdict, pk, before in told if pk and before and verdict == "new"}
    changed = {pk: before for verdict, pk, before in told if pk and before and verdict != "new"}
    lived = lived_on(made)
    gone = [pk for pk in made if pk not in lived]
    OutsideId.objects.filter(kind=CUSTOMER, contact_id__in=gone).delete()
    Contact.objects.filter(pk__in=gone).delete()
    _put_back(changed, now, actor_of(run))
    rows.exclude(before__has_key=MADE).update(before=None)
    return Undone(len(gone) + len(changed), len(lived))


def lived_on(made: Mapping[UUID, str], but: Collection[str] = ()) -> set[UUID]:
    """Which of these new people something has happened to since. `but`: moments that do not count."""
    people = list(made)
    touched = set(
        Contact.objects.filter(pk__in=people)
        .exclude(updated_at__in=set(made.values()))
        .values_list("pk", flat=True)
    )
    touched |= referred_to(Contact, people, UPKEEP)
    by_hand = StageMove.objects.filter(contact__in=people, by_rule=False, is_backfill=False)
    touched |= set(by_hand.values_list("contact_id", flat=True))
    for rows in (ContactPoint.objects, OutsideId.objects.filter(kind=CUSTOMER)):
        theirs = rows.filter(contact_id__in=people).exclude(created_at__in=set(made.values()))
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
    alive = Engagement.objects.filter(contact_id__in=people).exclude(**quiet, order_count=0)
    return touched | set(alive.values_list("contact_id", flat=True))


def _put_back(changed: Mapping[UUID, Mapping[str, Any]], now: datetime, actor: str) -> None:
    people = sorted(changed)
    changes.change(people, lambda contact: _ruled(contact, changed[contact.pk]), now, actor=actor)
    rows = []
    for contact in Contact.objects.filter(pk__in=people).order_by("pk").select_for_update(no_key=True):
        before = changed[contact.pk]
        back = {
            name: before[name][0]
            for name in _PLAIN
            if name in before and getattr(contact, name) == before[name][1]
        }
        if back:
            for name, value in back.items():
                setattr(contact, name, value)
            contact.updated_at = now
            rows.append(contact)
    update_rows(rows, *_PLAIN, "updated_at")
    _detach(changed)


def _ruled(contact: Contact, before: Mapping[str, Any]) -> dict[str, Any]:
    """What a person's attributes become: as they were, where they are still what the import made them."""
    told: dict[str, Any] = {
        name: before[name][0]
        for name in _RULED
        if name in before and getattr(contact, name) == before[name][1]
    }
    fields = dict(contact.fields)
    for key, new, old, was_there in before.get("own", []):
        if key in fields and fields[key] == new:
            fields.pop(key)
            if was_there:
                fields[key] = old
    told["fields"] = fields
    if "company" in before and str(contact.company_id) == before["company"][1]:
        old = before["company"][0]
        told["company"] = Company(pk=UUID(old)) if old else None
    if tags := before.get("tags"):
        told["tags"] = [tag for tag in contact.tags if tag not in tags]
    return told


def _detach(changed: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Addresses and numbers that the import told us of are theirs no longer."""
    handles = [(pk, *handle) for pk, before in changed.items() for handle in before.get("handles", [])]
    hashes = [bytes.fromhex(digest) for _, what, _, _, digest in handles if what != "external_id"]
    ContactPoint.objects.filter(address_hash__in=hashes, contact_id__in=_owners(handles)).delete()
    outside = [value for _, what, value, _, _ in handles if what == "external_id"]
    theirs = OutsideId.objects.filter(kind=CUSTOMER, external_id__in=outside, contact_id__in=_owners(handles))
    told = {(pk, value, space) for pk, what, value, space, _ in handles if what == "external_id"}
    gone = [
        pk
        for pk, owner, value, space in theirs.values_list("pk", "contact_id", "external_id", "source")
        if (owner, value, space) in told
    ]
    OutsideId.objects.filter(pk__in=gone).delete()
    keep(_owners(handles))


def _owners(handles: Collection[tuple[Any, ...]]) -> set[UUID]:
    return {handle[0] for handle in handles}
