"""A colleague's letter to one person: their words as typed, without template, and nothing in it counted."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from campaigns.delivery.mime import Mail
from campaigns.messages.notices import Letter as Words
from campaigns.messages.rendering import RenderProblem
from campaigns.models import Delivery, Letter, Sender
from crm.models import Contact, ContactPoint
from crm.shop.settings import this_shop


def prepare(deliveries: Sequence[Delivery], now: datetime) -> dict[int, Mail | RenderProblem]:
    """The mail of each delivery whose origin is a colleague, in a fixed number of queries. What it was
    made of is set on the delivery, to be kept before the fence.
    """
    if not deliveries:
        return {}
    letters = Letter.objects.in_bulk({one.subject_id for one in deliveries} - {None})
    senders = Sender.objects.in_bulk({one.sender_id for one in deliveries})
    people = Contact.objects.in_bulk({one.contact_id for one in deliveries} - {None})
    points = ContactPoint.objects.filter(contact__in=people)
    addresses = {(point.contact_id, bytes(point.address_hash)): point.address for point in points}
    shop = this_shop().name
    made: dict[int, Mail | RenderProblem] = {}
    for delivery in deliveries:
        letter = letters.get(delivery.subject_id) if delivery.subject_id else None
        address = addresses.get((delivery.contact_id, bytes(delivery.address_hash)))  # type: ignore[arg-type]
        if letter is None or not letter.text or address is None:
            made[delivery.pk] = RenderProblem(
                "letter_gone", "The letter, or the address it was for, is gone."
            )
            continue
        made[delivery.pk] = _mail(delivery, letter, senders[delivery.sender_id], people, address, shop, now)
    return made


def _mail(
    delivery: Delivery,
    letter: Letter,
    sender: Sender,
    people: Mapping[Any, Contact],
    address: str,
    shop: str,
    now: datetime,
) -> Mail:
    words = Words(letter.subject, letter.text)
    kept = json.dumps({"subject": words.subject, "text": words.text}, separators=(",", ":")).encode()
    delivery.context = zlib.compress(kept)
    delivery.message_sha256 = hashlib.sha256(kept).digest()
    return Mail(
        public_id=str(delivery.public_id),
        to_address=address,
        to_name=people[delivery.contact_id].full_name,
        from_address=sender.email,
        from_name=f"{letter.author} at {shop}" if shop else letter.author,
        reply_to_name=letter.author,
        reply_to_address=letter.reply_to,
        subject=words.subject,
        text=words.text,
        date=now,
    )
