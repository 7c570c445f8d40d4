"""A colleague gives a person another address on a channel."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm.access import reach
from crm.kernel import tokens
from crm.models import Channel, Contact, ContactPoint
from crm.people.permitted import after_a_gift, keep

_COPIES = {Channel.EMAIL: "email", Channel.SMS: "phone"}


class Taken(ValueError):
    """The address is somebody else's; carries whose."""

    def __init__(self, owner: Contact) -> None:
        who = reach.seen(Contact.objects.filter(pk=owner.pk)).first()
        super().__init__(f"This address belongs to {who or 'somebody else'}.")
        self.owner = owner


def set_primary(contact: Contact, channel: str, address: str, now: datetime) -> None:
    """Write to this person here from now on. Addresses they had stay known, so that nothing agreed is lost.

    Raises ValueError where it is no address, Taken where it is another person's.
    """
    spelled = tokens.normalise(channel, address) if address else ""
    with transaction.atomic():
        locked = Contact.objects.select_for_update(no_key=True, of=("self",)).get(pk=contact.pk)
        points = ContactPoint.objects.filter(contact=locked, channel=channel)
        if not spelled:
            points.update(is_primary=False)
        else:
            _own(locked, channel, spelled, now)
            points.exclude(address=spelled).update(is_primary=False)
            points.filter(address=spelled).update(is_primary=True)
        copy = _COPIES[Channel(channel)]
        setattr(locked, copy, spelled)
        locked.updated_at = now
        locked.save(update_fields=[copy, "updated_at"])
        keep([locked.pk])
    setattr(contact, copy, spelled)


def check(contact: Contact | None, channel: str, address: str) -> str:
    """The address as we spell it, if this person may have it. Raises as `set_primary` does."""
    spelled = tokens.normalise(channel, address)
    hashes = list(tokens.address_hashes(channel, spelled).values())
    point = ContactPoint.objects.filter(channel=channel, address_hash__in=hashes).first()
    if point and (contact is None or point.contact_id != contact.pk):
        raise Taken(point.contact)
    return spelled


def _own(contact: Contact, channel: str, spelled: str, now: datetime) -> None:
    check(contact, channel, spelled)
    digest, key_id = tokens.address_hash(channel, spelled)
    _point, made = ContactPoint.objects.get_or_create(
        address_hash=digest,
        channel=channel,
        defaults={"contact": contact, "address": spelled, "hash_key_id": key_id, "created_at": now},
    )
    if made:
        after_a_gift([digest])
    else:
        # Another process may have been faster with it, for somebody else.
        check(contact, channel, spelled)
