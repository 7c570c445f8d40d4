"""Whoever said no at one address has said no: when two people become one, what stopped messages to an address
of the one stops them to all addresses of the other, on the same channel.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.models import ConsentState, ContactPoint, Purpose, Suppression
from crm.people.deriving import LIFTABLE, STRENGTH

_SHARED = (*LIFTABLE, Suppression.Reason.COMPLAINED)
"""Words of a person. That an address bounced says nothing of their other ones."""


@dataclass(frozen=True)
class _No:
    """What one address refused; of every purpose only where it was a complaint."""

    address: bytes
    channel: str
    purpose_id: int | None
    reason: str
    since: datetime
    event_id: UUID | None


def share(one: UUID, other: UUID) -> list[UUID]:
    """Stop for every address of the two what is stopped for one of them. Returns the new stops."""
    points = list(ContactPoint.objects.filter(contact__in=[one, other]))
    hashes = {bytes(point.address_hash) for point in points}
    there = Suppression.objects.filter(address_hash__in=hashes)
    standing = {
        (bytes(digest), *what): reason
        for digest, *what, reason in there.values_list("address_hash", "channel", "purpose_id", "reason")
    }
    made = {}
    for no in _noes(hashes):
        for point in points:
            where = bytes(point.address_hash), no.channel
            if point.channel != no.channel or where[0] == no.address:
                continue
            # What stops everything there may be lifted by a word of theirs; a complaint is lifted by none.
            spread = no.purpose_id is None and standing.get((*where, None)) in LIFTABLE
            for purpose_id in _asked() if spread else [no.purpose_id]:
                if (*where, purpose_id) not in standing:
                    made[*where, purpose_id] = _stop(no, point, purpose_id)
    Suppression.objects.bulk_create(made.values())
    return [stop.pk for stop in made.values()]


def _stop(no: _No, point: ContactPoint, purpose_id: int | None) -> Suppression:
    return Suppression(
        address_hash=point.address_hash,
        hash_key_id=point.hash_key_id,
        channel=no.channel,
        purpose_id=purpose_id,
        reason=no.reason,
        since=no.since,
        source_event_id=no.event_id,
    )


def _asked() -> list[int]:
    """The purposes that are asked about."""
    return list(Purpose.objects.exclude(kind=Purpose.Kind.TRANSACTIONAL).values_list("pk", flat=True))


def _noes(hashes: Collection[bytes]) -> list[_No]:
    """What these addresses refused, the weakest word first."""
    asked = _asked()
    agreed: dict[tuple[bytes, str, int], datetime] = {}
    noes = []
    for state in ConsentState.objects.filter(address_hash__in=hashes):
        matter = (bytes(state.address_hash), state.channel, state.purpose_id)
        if state.may_send:
            agreed[matter] = state.since
        elif state.status == ConsentState.Status.REFUSED:
            noes.append(_No(*matter, Suppression.Reason.UNSUBSCRIBED, state.since, state.last_event_id))
    for stop in Suppression.objects.filter(address_hash__in=hashes, reason__in=_SHARED):
        where = (bytes(stop.address_hash), stop.channel)
        no = _No(*where, stop.purpose_id, stop.reason, stop.since, stop.source_event_id)
        if stop.purpose_id or stop.reason not in LIFTABLE:
            noes.append(no)
            continue
        # "Everything" is a no to each purpose that was not agreed to anew since.
        for purpose_id in asked:
            since = agreed.get((*where, purpose_id))
            if since is None or since < stop.since or stop.source_event_id is None:
                noes.append(replace(no, purpose_id=purpose_id))
    return sorted(noes, key=lambda no: STRENGTH.index(no.reason))


def release(stops: Collection[Any]) -> None:
    """Lift stops that `share` has made, as far as nothing else has become of them since."""
    for stop in Suppression.objects.filter(pk__in=stops).select_related("source_event"):
        own = stop.source_event and bytes(stop.source_event.address_hash) == bytes(stop.address_hash)
        if not own:
            stop.delete()
