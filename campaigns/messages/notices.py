"""A letter to a colleague: the plain text of a notice, without template, and nothing in it counted."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from campaigns.delivery.mime import Mail
from campaigns.messages.rendering import RenderProblem
from campaigns.models import Delivery, Sender
from crm.models import Notice
from crm.shop.settings import this_shop


@dataclass(frozen=True, slots=True)
class Letter:
    """What stands in it."""

    subject: str
    text: str


def prepare(deliveries: Sequence[Delivery], now: datetime) -> dict[int, Mail | RenderProblem]:
    """The mail of each delivery whose origin is a notice, in a fixed number of queries. What it was made of
    is set on the delivery, to be kept before the fence.
    """
    if not deliveries:
        return {}
    notices = Notice.objects.select_related("user").in_bulk({one.subject_id for one in deliveries} - {None})
    senders = Sender.objects.in_bulk({one.sender_id for one in deliveries})
    shop = this_shop().name
    made: dict[int, Mail | RenderProblem] = {}
    for delivery in deliveries:
        notice = notices.get(delivery.subject_id) if delivery.subject_id else None
        if notice is None:
            made[delivery.pk] = RenderProblem("notice_gone", "What the colleague was to be told is gone.")
            continue
        made[delivery.pk] = _mail(delivery, notice, senders[delivery.sender_id], shop, now)
    return made


def as_sent(delivery: Delivery) -> Letter | None:
    """The letter as it left, or nothing where none was made."""
    if delivery.context is None:
        return None
    return Letter(**json.loads(zlib.decompress(bytes(delivery.context))))


def _mail(delivery: Delivery, notice: Notice, sender: Sender, shop: str, now: datetime) -> Mail:
    letter = Letter(notice.subject, _text(notice, shop))
    kept = json.dumps({"subject": letter.subject, "text": letter.text}, separators=(",", ":")).encode()
    delivery.context = zlib.compress(kept)
    delivery.message_sha256 = hashlib.sha256(kept).digest()
    return Mail(
        public_id=str(delivery.public_id),
        to_address=delivery.test_address,
        to_name=notice.user.get_full_name(),
        from_address=sender.email,
        from_name=sender.name,
        subject=letter.subject,
        text=letter.text,
        date=now,
    )


def _text(notice: Notice, shop: str) -> str:
    parts = [notice.body]
    if notice.path:
        parts.append(f"Open it: {settings.REKINDLE_ADMIN_URL}{notice.path}")
    parts.append(f"-- \nYou get this because you look after customers of {shop or 'the shop'}.")
    return "\n\n".join(parts)
