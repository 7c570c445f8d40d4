"""Everything that names one person: their ids, addresses, and the keyed hashes of these."""

from __future__ import annotations

from uuid import UUID

from crm.kernel import tokens
from crm.kernel.keeping import Person
from crm.models import Contact, ContactPoint


def person(contact_id: UUID) -> Person:
    """The person of a contact, with whoever was merged into them."""
    ids = [contact_id, *Contact.objects.filter(merged_into=contact_id).values_list("pk", flat=True)]
    points = ContactPoint.objects.filter(contact__in=ids)
    hashes: set[bytes] = set()
    for point in points:
        hashes.add(bytes(point.address_hash))
        hashes.update(tokens.address_hashes(point.channel, point.address).values())
    addresses = {point.address for point in points}
    for copies in Contact.objects.filter(pk__in=ids).values_list("email", "phone"):
        addresses.update(filter(None, copies))
    return Person(tuple(dict.fromkeys(ids)), tuple(sorted(addresses)), tuple(sorted(hashes)))
