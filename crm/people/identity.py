"""Find or create the person behind what is known of them: an address, a number, an outside id.

Set-based: a batch of any size costs a fixed number of queries. Never overwrites what is known already, and
never joins two people: that is a decision of its own (merging).
"""

from __future__ import annotations

import hashlib
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import transaction

from crm.kernel import ids, tokens
from crm.models import Channel, Contact, ContactChange, ContactPoint, OutsideId
from crm.models.writing import update_rows
from crm.people.permitted import after_a_gift, keep

CUSTOMER = "customer"
_RULED = ("language", "country", "time_zone")
_FILLED = ("first_name", "last_name", *_RULED)


@dataclass(frozen=True)
class Known:
    """What somebody told us of a person. At least an address, a number or an outside id."""

    email: str = ""
    phone: str = ""
    external_id: str = ""
    source: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    country: str = ""
    time_zone: str = ""


class Unknowable(ValueError):
    """Nothing in it tells one person from another."""


@dataclass(frozen=True)
class _Handle:
    """One way to recognise a person: (channel, keyed hash) or (source, outside id)."""

    space: str
    value: bytes | str


@dataclass
class _Person:
    """A Known with its addresses spelled as we keep them, and the handles in the order they are trusted."""

    known: Known
    source: str
    addresses: dict[_Handle, str] = field(default_factory=dict)
    handles: list[_Handle] = field(default_factory=list)


@dataclass
class _Batch:
    """What one look at the database decided: whom to create, and which handles are new to whom."""

    addresses: dict[_Handle, str]
    now: datetime
    created: set[UUID] = field(default_factory=set)
    people: dict[UUID, list[_Person]] = field(default_factory=dict)
    fresh: dict[UUID, list[_Handle]] = field(default_factory=dict)

    def learned(self, contact: Contact) -> dict[str, str]:
        """What this batch says of a contact where nothing was known; who says it first is believed."""
        told: dict[str, str] = {}
        for person in self.people.get(contact.pk, []):
            for name in _FILLED:
                told[name] = told.get(name) or _clean(name, getattr(person.known, name))
        for handle in self.fresh.get(contact.pk, []):
            if handle in self.addresses:
                told.setdefault(_copy_of(handle), self.addresses[handle])
        return {name: value for name, value in told.items() if value and not getattr(contact, name)}


def resolve(
    batch: Sequence[Known], now: datetime, *, source: str, later: set[UUID] | None = None
) -> list[UUID]:
    """The contact of each, found or created. An e-mail address says more than an outside id, that more than a
    telephone number. Two processes that learn of one person at once end with one contact.

    Whoever goes on to write more of these people gives `later`: those of whom something new was learned are
    put there, to be held with all others in one order and then read by `permitted.keep`. Held here already,
    two batches could wait for each other in a circle.
    """
    if not batch:
        return []
    people = [_person(known, source) for known in batch]
    if not all(person.handles for person in people):
        raise Unknowable("an e-mail address, a telephone number or an outside id is needed")
    with transaction.atomic():
        owners = _owners(people)
        decided = _decide(people, owners, now)
        learned: set[UUID] = set() if later is None else later
        contacts = _create(decided) | _fill_in(decided, learned)
        if decided.fresh:
            _attach(decided, contacts)
            # Where somebody else was faster, the address is theirs, and so is the person.
            owners = _owners(people)
            _give_way(decided, owners, contacts)
            fresh = [handle for handles in decided.fresh.values() for handle in handles]
            learned.update(owners[handle] for handle in fresh)
            after_a_gift(handle.value for handle in fresh if isinstance(handle.value, bytes))
        if later is None:
            keep(learned)
    return [owners[person.handles[0]] for person in people]


def recognise(batch: Sequence[Known], now: datetime, *, source: str) -> list[tuple[UUID, bool]]:
    """Whom `resolve` would find for each, and whether that would be somebody new. Writes nothing."""
    people = [_person(known, source) for known in batch]
    decided = _decide(people, _owners(people), now)
    found = {id(person): pk for pk, told in decided.people.items() for person in told}
    return [(found[id(person)], found[id(person)] in decided.created) for person in people]


def is_knowable(known: Known) -> bool:
    """Whether this is enough to tell a person by."""
    return bool(_person(known, "").handles)


def hash_of(email: str) -> bytes | None:
    """The keyed hash of an e-mail address, or nothing where it is not one."""
    try:
        return tokens.address_hash(Channel.EMAIL, email)[0]
    except ValueError:
        return None


def short(outside_id: str, most: int) -> str:
    """An outside id that fits its column; a longer one ends in a digest, so that no two become one."""
    if len(outside_id) <= most:
        return outside_id
    return outside_id[: most - 33] + "~" + hashlib.sha256(outside_id.encode()).hexdigest()[:32]


def _person(known: Known, source: str) -> _Person:
    person = _Person(known, (known.source or source)[:40])
    _add_address(person, Channel.EMAIL, known.email)
    if known.external_id:
        person.handles.append(_Handle(person.source, short(known.external_id, 200)))
    _add_address(person, Channel.SMS, known.phone)
    return person


def _add_address(person: _Person, channel: str, given: str) -> None:
    if not given:
        return
    try:
        spelled = tokens.normalise(channel, given)
    except ValueError:
        return  # A mistyped address names nobody; what else is known still does.
    if len(spelled) > 254:
        return
    handle = _Handle(f":{channel}", tokens.address_hash(channel, spelled)[0])
    person.addresses[handle] = spelled
    person.handles.append(handle)


def _decide(people: list[_Person], owners: dict[_Handle, UUID], now: datetime) -> _Batch:
    """Whom to create, and whose the new handles are: the first handle that is known decides."""
    addresses = {handle: text for person in people for handle, text in person.addresses.items()}
    batch = _Batch(addresses, now)
    taken = dict(owners)
    for person in people:
        contact_id = next((taken[handle] for handle in person.handles if handle in taken), None)
        if contact_id is None:
            contact_id = ids.uuid7(now)
            batch.created.add(contact_id)
        for handle in person.handles:
            if handle not in taken:
                taken[handle] = contact_id
                batch.fresh.setdefault(contact_id, []).append(handle)
        batch.people.setdefault(contact_id, []).append(person)
    return batch


def _owners(people: list[_Person]) -> dict[_Handle, UUID]:
    """Whose handles these are already; hashes made under older keys count."""
    spelled = {handle: text for person in people for handle, text in person.addresses.items()}
    current: dict[tuple[str, bytes], _Handle] = {}
    for handle, text in spelled.items():
        channel = handle.space.removeprefix(":")
        for digest in tokens.address_hashes(channel, text).values():
            current[(channel, digest)] = handle
    owners: dict[_Handle, UUID] = {}
    points = ContactPoint.objects.filter(address_hash__in=[digest for _, digest in current])
    for channel, found, contact_id in points.values_list("channel", "address_hash", "contact_id"):
        if (channel, bytes(found)) in current:
            owners[current[(channel, bytes(found))]] = contact_id
    outside = {handle for person in people for handle in person.handles if handle not in person.addresses}
    rows = OutsideId.objects.filter(kind=CUSTOMER, external_id__in=[handle.value for handle in outside])
    for where, external_id, contact_id in rows.values_list("source", "external_id", "contact_id"):
        handle = _Handle(where, external_id)
        if handle in outside:
            owners[handle] = contact_id
    return owners


def _fill_in(batch: _Batch, learned: set[UUID]) -> dict[UUID, Contact]:
    """Blanks of people we know, filled with what we have just learned. Only those who lack it are locked, and
    noted as `learned`.
    """
    contacts = {
        contact.pk: contact for contact in Contact.objects.filter(pk__in=set(batch.people) - batch.created)
    }
    lacking = [contact.pk for contact in contacts.values() if batch.learned(contact)]
    if not lacking:
        return contacts
    changes: list[ContactChange] = []
    locked = Contact.objects.filter(pk__in=lacking).order_by("pk").select_for_update(no_key=True)
    for contact in locked:
        contacts[contact.pk] = contact
        for name, value in batch.learned(contact).items():
            setattr(contact, name, value)
            if name in _RULED:
                changes.append(_change(contact, name, batch.now))
        contact.updated_at = batch.now
    update_rows([contacts[pk] for pk in lacking], *_FILLED, "email", "phone", "updated_at")
    ContactChange.objects.bulk_create(changes, batch_size=1000)
    learned.update(lacking)
    return contacts


def _change(contact: Contact, name: str, now: datetime) -> ContactChange:
    new = getattr(contact, name)
    return ContactChange(contact=contact, field=name, old="", new=new, occurred_at=now, recorded_at=now)


def _create(batch: _Batch) -> dict[UUID, Contact]:
    contacts = {}
    for contact_id in batch.created:
        source = batch.people[contact_id][0].source[:60]
        contact = Contact(
            id=contact_id, source=source, created_at=batch.now, recorded_at=batch.now, updated_at=batch.now
        )
        for name, value in batch.learned(contact).items():
            setattr(contact, name, value)
        contacts[contact_id] = contact
    Contact.objects.bulk_create(contacts.values(), batch_size=1000)
    return contacts


def _attach(batch: _Batch, contacts: dict[UUID, Contact]) -> None:
    """Remember the new handles, always in the same order: two batches with the same people wait, not lock."""
    points: list[ContactPoint] = []
    outside: list[OutsideId] = []
    for contact_id, handles in batch.fresh.items():
        for handle in handles:
            if handle in batch.addresses:
                points.append(_point(contacts[contact_id], handle, batch))
            else:
                row = OutsideId(source=handle.space, kind=CUSTOMER, external_id=str(handle.value))
                row.contact_id, row.created_at = contact_id, batch.now
                outside.append(row)
    points.sort(key=lambda point: bytes(point.address_hash))
    outside.sort(key=lambda row: (row.external_id, row.source))
    ContactPoint.objects.bulk_create(points, ignore_conflicts=True, batch_size=1000)
    OutsideId.objects.bulk_create(outside, ignore_conflicts=True, batch_size=1000)


def _give_way(batch: _Batch, owners: dict[_Handle, UUID], contacts: dict[UUID, Contact]) -> None:
    """After a lost race: forget the copies of addresses that went to others, and people left with nothing."""
    losers = []
    for contact_id, handles in batch.fresh.items():
        for handle in handles:
            if owners[handle] != contact_id and handle in batch.addresses:
                setattr(contacts[contact_id], _copy_of(handle), "")
        if any(owners[handle] != contact_id for handle in handles):
            losers.append(contacts[contact_id])
    if losers:
        update_rows(losers, "email", "phone")
        empty = batch.created - set(owners.values())
        Contact.objects.filter(pk__in=empty).delete()


def _point(contact: Contact, handle: _Handle, batch: _Batch) -> ContactPoint:
    address = batch.addresses[handle]
    channel = handle.space.removeprefix(":")
    digest, key_id = tokens.address_hash(channel, address)
    return ContactPoint(
        contact=contact,
        channel=channel,
        address=address,
        address_hash=digest,
        hash_key_id=key_id,
        is_primary=getattr(contact, _copy_of(handle)) == address,
        created_at=batch.now,
    )


def _copy_of(handle: _Handle) -> str:
    return "email" if handle.space == f":{Channel.EMAIL}" else "phone"


def _clean(name: str, value: str) -> str:
    value = value.strip()
    if name == "country":
        return value.upper() if len(value) == 2 and value.isascii() and value.isalpha() else ""
    if name == "time_zone":
        return value if value in _zones() else ""
    return value[: 12 if name == "language" else 120]


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def primary_points(contact_ids: Iterable[UUID], channel: str = Channel.EMAIL) -> dict[UUID, ContactPoint]:
    """The address we write to on a channel, a contact each: the primary one, else the oldest."""
    rows = ContactPoint.objects.filter(contact_id__in=list(contact_ids), channel=channel)
    points: dict[UUID, ContactPoint] = {}
    for point in rows.order_by("contact_id", "-is_primary", "created_at", "pk"):
        points.setdefault(point.contact_id, point)
    return points
