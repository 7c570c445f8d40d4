"""What was said of an address leaves its mark on the address itself, and on whoever has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crm.kernel import tokens
from crm.models import ConsentDetail, ContactPoint, Suppression
from crm.models.writing import update_rows
from crm.people.deriving import LIFTABLE, NOT_THE_PERSON, Action
from crm.people.permitted import after_a_word


def leave(details: Sequence[ConsentDetail]) -> None:
    """Called by whoever records consent events, in the same transaction."""
    bounced = [detail.address_hash for detail in details if detail.event.action == Action.BOUNCED]
    if bounced:
        ContactPoint.objects.filter(address_hash__in=bounced).update(status=ContactPoint.Status.HARD)
    _verify(details)
    _remember_complaints(details)
    _lift_shared(details)
    after_a_word({bytes(detail.address_hash) for detail in details})


def _verify(details: Sequence[ConsentDetail]) -> None:
    """Who confirms reads that mailbox: from the first time on the address is known to be theirs."""
    confirmed: dict[bytes, datetime] = {}
    for detail in details:
        event = detail.event
        if event.action == Action.CONFIRMED and event.source_kind not in NOT_THE_PERSON:
            address = bytes(detail.address_hash)
            confirmed[address] = min(confirmed.get(address, event.occurred_at), event.occurred_at)
    if not confirmed:
        return
    points = list(ContactPoint.objects.filter(address_hash__in=list(confirmed), verified_at=None))
    for point in points:
        point.verified_at = confirmed[bytes(point.address_hash)]
    update_rows(points, "verified_at")


def _lift_shared(details: Sequence[ConsentDetail]) -> None:
    """What stood here because of another address of theirs: who confirms anew at this one, means it."""
    for detail in details:
        event = detail.event
        if event.action == Action.CONFIRMED and event.source_kind not in NOT_THE_PERSON:
            stops = Suppression.objects.filter(
                address_hash=detail.address_hash,
                channel=event.channel,
                purpose=event.purpose_id,
                reason__in=LIFTABLE,
                source_event__isnull=False,
            )
            stops.exclude(source_event__address_hash=detail.address_hash).delete()


def _remember_complaints(details: Sequence[ConsentDetail]) -> None:
    """Who complained as ana+shop@… has complained as ana@…, too."""
    folded = {}
    for detail in details:
        if detail.event.action == Action.COMPLAINED and detail.address:
            digest, key_id = tokens.folded_hash(detail.event.channel, detail.address)
            folded[digest, detail.event.channel] = Suppression(
                address_hash=digest,
                hash_key_id=key_id,
                channel=detail.event.channel,
                reason=Suppression.Reason.COMPLAINED,
                since=detail.event.occurred_at,
                source_event=detail.event,
            )
    if folded:
        Suppression.objects.bulk_create(folded.values(), ignore_conflicts=True)
