"""A colleague writes to one person: through the one queue, the fence and all its reasons not to send.

It is no marketing, so neither consent to marketing nor caps, quiet hours or a pause are asked for. But who
said *no more* to everything, complained, or is on a list of those never to be written to, is not written to
by hand either; an address that bounced or was erased is never written to at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable

from campaigns.delivery import headers, outbox
from campaigns.delivery.guards import Guard, Verdict, guards
from campaigns.models import Delivery, Letter, Sender
from crm.models import Channel, ConsentState, ContactPoint, Purpose, Suppression
from crm.people import consent
from crm.people.deriving import LIFTABLE
from crm.people.identity import primary_points

SUBJECT = "letter"
GOOD_FOR = timedelta(days=2)
_PRIORITY = 15
_PURPOSE = "transactional"


class CannotWrite(ValueError):
    """This person cannot be written to now: why, in words."""


@transaction.atomic
def write(letter_id: UUID, contact_id: UUID, user: Any, subject: str, text: str, now: datetime) -> Letter:
    """Put a letter into the queue; a second one of the same id is the first. Raises CannotWrite."""
    sender = Sender.objects.filter(is_default=True).first()
    if sender is None:
        raise CannotWrite("There is no sender yet: messages come from a person. Add one under Senders.")
    if not user.email:
        raise CannotWrite(
            "You have no e-mail address for their answer to go to: have one added to your user."
        )
    point = primary_points([contact_id]).get(contact_id)
    if point is None:
        raise CannotWrite("We know no e-mail address of theirs.")
    try:
        headers.address(user.email)
    except headers.Unsendable:
        raise CannotWrite("No answer can go to your own e-mail address: have it corrected.") from None
    if Letter.objects.filter(id=letter_id).exclude(contact_id=contact_id).exists():
        raise CannotWrite("This form is of another letter: open it anew.")
    if why := refusal(point):
        raise CannotWrite(f"They may not be written to: {why}.")
    letter, is_new = Letter.objects.get_or_create(
        id=letter_id,
        contact_id=contact_id,
        defaults={
            "user": user,
            "author": user.get_full_name() or user.get_username(),
            "reply_to": user.email,
            "subject": subject,
            "text": text,
            "written_at": now,
        },
    )
    if is_new:
        delivery = _delivery(letter, point, sender, now)
        outbox.enqueue([delivery])
        letter.delivery_id = Delivery.objects.values_list("pk", flat=True).get(dedupe_key=delivery.dedupe_key)
        letter.save(update_fields=["delivery_id"])
    return letter


def refusal(point: ContactPoint) -> str:
    """Why nobody may write to this address by hand, in words; blank where they may."""
    may, reason = consent.may_send(bytes(point.address_hash), point.channel, _PURPOSE)
    if may:
        stops = _stops().filter(address_hash=point.address_hash, channel=point.channel)
        reason = stops.values_list("reason", flat=True).first() or ""
    return consent.REASONS.get(reason, reason)


@guards.register
class SaidNo(Guard):
    """They want nothing more from us: not by hand either."""

    key = "campaigns.said_no"
    label = "They want nothing more"
    place = 41
    verdict = Verdict.SUPPRESSED
    reason = "said_no"
    words = "They want nothing more from us"

    def blocks(self, now: datetime) -> Q:
        return Q(origin=Delivery.Origin.PERSONAL) & Q(Exists(self._theirs()))

    def reason_of(self) -> Combinable:
        return Subquery(self._theirs().values("reason")[:1])

    def say(self, reason: str) -> str:
        return f"Not allowed: {consent.REASONS.get(reason, 'they want nothing more from us')}"

    def _theirs(self) -> QuerySet[Suppression]:
        return _stops().filter(address_hash=OuterRef("address_hash"), channel=OuterRef("channel"))


def _stops() -> QuerySet[Suppression]:
    """Stops of everything that nothing was agreed to since."""
    agreed = ConsentState.objects.filter(
        address_hash=OuterRef("address_hash"),
        channel=OuterRef("channel"),
        may_send=True,
        since__gte=OuterRef("since"),
    )
    lifted = Q(reason__in=LIFTABLE, source_event__isnull=False) & Exists(agreed)
    return Suppression.objects.filter(purpose=None).exclude(lifted).order_by("since")


def _delivery(letter: Letter, point: ContactPoint, sender: Sender, now: datetime) -> Delivery:
    return Delivery(
        dedupe_key=f"m:{letter.pk}",
        origin=Delivery.Origin.PERSONAL,
        channel=Channel.EMAIL,
        contact_id=letter.contact_id,
        address_hash=point.address_hash,
        purpose=Purpose.objects.get(key=_PURPOSE),
        sender=sender,
        subject_kind=SUBJECT,
        subject_id=letter.pk,
        due_at=now,
        not_before=now,
        not_after=now + GOOD_FOR,
        priority=_PRIORITY,
        created_at=now,
    )
