"""Fixed lists: segments whose people come and go by hand alone, in batches, each stay with its instants."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from crm.kernel import tokens
from crm.kernel.work import in_batches
from crm.models import Channel, Contact, ContactPoint, Segment, SegmentMembership, SegmentSize
from crm.people.stirring import stir

MOST_PASTED = 20_000
_BATCH = 5000
_BETWEEN = re.compile(r"[\s,;<>\"']+")


class NotAList(ValueError):
    """People of a segment with a rule come and go by its rule."""


@dataclass(frozen=True)
class Found:
    """Who is behind the addresses that were pasted, and which of them are nobody's."""

    contacts: Sequence[UUID]
    unknown: Sequence[str]


def look_up(pasted: str) -> Found:
    """The contacts of addresses with anything between them; words without an @ are passed over."""
    typed = dict.fromkeys(part for part in _BETWEEN.split(pasted) if "@" in part)
    hashes: dict[bytes, str] = {}
    unknown = []
    for address in list(typed)[:MOST_PASTED]:
        try:
            every = tokens.address_hashes(Channel.EMAIL, address)
        except ValueError:
            unknown.append(address)
            continue
        hashes |= dict.fromkeys(every.values(), address)
    contacts: dict[UUID, None] = {}
    known: set[str] = set()
    for batch in in_batches(list(hashes), _BATCH):
        points = ContactPoint.objects.filter(
            channel=Channel.EMAIL, address_hash__in=batch, contact__merged_into=None
        )
        for contact, digest in points.values_list("contact_id", "address_hash"):
            contacts[contact] = None
            known.add(hashes[bytes(digest)])
    unknown += [address for address in dict.fromkeys(hashes.values()) if address not in known]
    return Found(list(contacts), unknown)


def on_it(segment: Segment, contacts: Collection[UUID]) -> set[UUID]:
    """Who of these people is on the list now."""
    return set(_stays(segment).filter(contact__in=contacts).values_list("contact_id", flat=True))


def add(segment: Segment, contacts: Iterable[UUID], now: datetime) -> int:
    """Put people on the list; who is on it already stays as they are. Returns how many are new."""
    with transaction.atomic():
        _held(segment)
        entered = 0
        for batch in in_batches(contacts, _BATCH):
            inside = _stays(segment).filter(contact__in=batch).values("contact_id")
            known = Contact.objects.filter(pk__in=batch, merged_into=None).exclude(pk__in=inside)
            new = list(known.order_by().values_list("pk", flat=True))
            SegmentMembership.objects.bulk_create(
                [SegmentMembership(contact_id=pk, segment=segment, entered_at=now) for pk in new]
            )
            stir(new)
            entered += len(new)
        _note(segment, now, entered=entered)
    return entered


def remove(segment: Segment, contacts: Iterable[UUID], now: datetime) -> int:
    """Take people off the list; that they were on it stays known. Returns how many left."""
    with transaction.atomic():
        _held(segment)
        left = 0
        for batch in in_batches(contacts, _BATCH):
            gone = _stays(segment).filter(contact__in=batch)
            stir(gone.values_list("contact_id", flat=True))
            left += gone.update(left_at=now)
        _note(segment, now, left=left)
    return left


def _held(segment: Segment) -> None:
    """One hand at a time, so that nobody is on the list twice."""
    held = Segment.objects.select_for_update(no_key=True, of=("self",)).get(pk=segment.pk)
    if held.kind != Segment.Kind.FIXED:
        raise NotAList(f"{held} is kept up by its rule.")
    segment.size = held.size


def _stays(segment: Segment) -> QuerySet[SegmentMembership]:
    return SegmentMembership.objects.filter(segment=segment, left_at=None)


def _note(segment: Segment, now: datetime, *, entered: int = 0, left: int = 0) -> None:
    if not entered and not left:
        return
    segment.size += entered - left
    segment.refreshed_at = now
    segment.save(update_fields=["size", "refreshed_at"])
    row, made = SegmentSize.objects.get_or_create(
        segment=segment, at=now, defaults={"size": segment.size, "entered": entered, "left": left}
    )
    if not made:
        row.size, row.entered, row.left = segment.size, row.entered + entered, row.left + left
        row.save(update_fields=["size", "entered", "left"])
