"""One person erased: out of every table goes what speaks of them; what stays are numbers of nobody, and the
keyed hash of each address, so that they are never written to again.

Their row stays, blank, merged into itself: orders and messages hang on it, every question about people passes
it over, and nothing leads from it to anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from crm.kernel.keeping import Person, in_order
from crm.models import Channel, Contact, ContactPoint, DataRequest, Erasure, Export
from crm.people import consent, erased, requests
from crm.people.consent import Said
from crm.people.persons import person
from crm.people.stirring import stir
from crm.sheets.exporting import files

LATE = timedelta(hours=1)
"""For so long after an erasure, what was under way then is looked for once more."""


class CannotErase(ValueError):
    """There is nobody to erase: why, in words."""


@transaction.atomic
def erase(contact_id: UUID, now: datetime, *, by: str, reference: str = "") -> DataRequest:
    """Erase one person, also those merged into them. Raises CannotErase.

    Returns what remains of it: who did it, when, and how many rows of each table it was.
    """
    Contact.objects.filter(pk=contact_id).select_for_update().first()
    contact = Contact.objects.filter(pk=contact_id, merged_into=None).first()
    if contact is None:
        raise CannotErase("There is no such person any more.")
    who = person(contact_id)
    _say_so(who, now)
    requests.end_erased(who, now, by=by)
    counts = _erase(who, now)
    stir(who.ids)
    _blank(who, now)
    return DataRequest.objects.create(
        contact_id=contact_id,
        kind=DataRequest.Kind.ERASE,
        reference=reference[:200],
        counts=counts,
        done_at=now,
        done_by=by[:150],
    )


@transaction.atomic
def again(contact_id: UUID, now: datetime) -> int:
    """Erase what was still being written of somebody when they were erased. Returns how many rows."""
    gone = Contact.objects.select_for_update().filter(pk=contact_id, erased_at__isnull=False).first()
    return sum(_erase(Person((contact_id,)), now).values()) if gone else 0


def late(now: datetime) -> list[UUID]:
    """Who was erased so lately that something may have been under way."""
    rows = DataRequest.objects.filter(kind=DataRequest.Kind.ERASE, done_at__gt=now - LATE)
    return [pk for pk in rows.values_list("contact_id", flat=True) if pk]


def _say_so(who: Person, now: datetime) -> None:
    """The last word of each address: erased. It stops every message, and no other word lifts it."""
    points = list(ContactPoint.objects.filter(contact__in=who.ids))
    channels = set(Channel.values)
    said = [
        Said(bytes(point.address_hash), point.channel, None, "erased", now, "request")
        for point in points
        if point.channel in channels
    ]
    consent.record(said, now)
    Erasure.objects.bulk_create(
        [
            Erasure(
                address_hash=point.address_hash,
                channel=point.channel,
                hash_key_id=point.hash_key_id,
                erased_at=now,
            )
            for point in points
        ],
        update_conflicts=True,
        unique_fields=["address_hash", "channel"],
        update_fields=["erased_at", "noted_at"],
    )
    # Nobody knows who stands in a list that was taken away: all of them go, and can be made anew; what is
    # being made begins anew.
    Export.objects.filter(status=Export.Status.RUNNING).update(status=Export.Status.WAITING)
    Export.objects.filter(status=Export.Status.DONE).update(expires_at=now)
    # At once where it can be; otherwise the ticks find both.
    transaction.on_commit(lambda: erased.keep_up(now), robust=True)
    transaction.on_commit(lambda: files.tidy(now), robust=True)


def _erase(who: Person, now: datetime) -> dict[str, int]:
    return {kept.label: count for kept in in_order() if (count := kept.erase(who, now))}


def _blank(who: Person, now: datetime) -> None:
    blank = {
        field.name: field.get_default()
        for field in Contact._meta.concrete_fields
        if field.name not in ("id", "is_test", "created_at", "recorded_at", "updated_at")
    }
    for contact_id in who.ids:
        told = blank | {"merged_into": contact_id, "erased_at": now, "updated_at": now}
        Contact.objects.filter(pk=contact_id).update(**told)
