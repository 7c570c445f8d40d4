"""Keep the derived tables, consent state and suppression, equal to what the events add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from crm.models import ConsentEvent, ConsentState, ContactPoint, Purpose, Suppression
from crm.people.deriving import STRENGTH, Derived, Stand, Stop, derive
from crm.people.permitted import keep

_CHUNK = 500


@dataclass
class _Difference:
    """What has to be written for the tables to be as the events say."""

    states: list[ConsentState] = field(default_factory=list)
    stops: list[Suppression] = field(default_factory=list)
    stale_states: list[UUID] = field(default_factory=list)
    stale_stops: list[UUID] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.states) + len(self.stops) + len(self.stale_states) + len(self.stale_stops)


def store(events: Mapping[bytes, Iterable[ConsentEvent]], purposes: Mapping[int, Purpose]) -> int:
    """Bring the tables up to date for some addresses, given all their events. Returns the rows written."""
    difference = _difference({address: derive(told, purposes) for address, told in events.items()})
    _write(difference)
    return len(difference)


def rebuild_states(*, repair: bool = True) -> int:
    """Derive every address anew from its events. Returns how many rows were not as they should be."""
    purposes = {purpose.pk: purpose for purpose in Purpose.objects.all()}
    events = ConsentEvent.objects.filter(address_hash=OuterRef("address_hash"))
    orphans = ConsentState.objects.filter(~Exists(events))
    lost = list(orphans.values_list("address_hash", flat=True))
    found = len(lost)
    if repair and found:
        orphans.delete()
        keep(ContactPoint.objects.filter(address_hash__in=lost).values_list("contact_id", flat=True))
    for addresses in _addresses():
        with transaction.atomic():
            told: dict[bytes, list[ConsentEvent]] = {address: [] for address in addresses}
            for event in ConsentEvent.objects.filter(address_hash__in=addresses):
                told[bytes(event.address_hash)].append(event)
            difference = _difference({address: derive(kept, purposes) for address, kept in told.items()})
            found += len(difference)
            if repair and len(difference):
                _write(difference)
                points = ContactPoint.objects.filter(address_hash__in=addresses)
                keep(points.values_list("contact_id", flat=True))
    return found


def _addresses() -> Iterator[list[bytes]]:
    last = b""
    while True:
        rows = ConsentEvent.objects.filter(address_hash__gt=last, position=1).order_by("address_hash")
        chunk = [bytes(address) for address in rows.values_list("address_hash", flat=True)[:_CHUNK]]
        if not chunk:
            return
        yield chunk
        last = chunk[-1]


def _difference(derived: Mapping[bytes, Derived]) -> _Difference:
    difference = _Difference()
    states: dict[tuple[Any, ...], ConsentState] = {
        (bytes(state.address_hash), state.channel, state.purpose_id): state
        for state in ConsentState.objects.filter(address_hash__in=list(derived))
    }
    stops: dict[tuple[Any, ...], Suppression] = {
        (bytes(stop.address_hash), stop.channel, stop.purpose_id): stop
        for stop in Suppression.objects.filter(address_hash__in=list(derived)).select_related("source_event")
    }
    for address, found in derived.items():
        for (channel, purpose_id), stand in found.stands.items():
            state = states.pop((address, channel, purpose_id), None)
            if state is None or _told(state) != _stand(stand):
                difference.states.append(_state(address, channel, purpose_id, stand))
        for (channel, where), stop in found.stops.items():
            row = stops.pop((address, channel, where), None)
            if row is None or _is_to_change(row, address, stop):
                difference.stops.append(_suppression(address, channel, where, stop))
    difference.stale_states = [state.pk for state in states.values()]
    difference.stale_stops = [row.pk for (address, *_), row in stops.items() if _is_derived(row, address)]
    return difference


def _is_derived(row: Suppression, address: bytes) -> bool:
    """Rows without an event of this address were set by hand, or for another spelling: they stay."""
    return row.source_event is not None and bytes(row.source_event.address_hash) == address


def _is_to_change(row: Suppression, address: bytes, stop: Stop) -> bool:
    if _is_derived(row, address):
        return (row.reason, row.since, row.source_event_id) != (stop.reason, stop.since, stop.event_id)
    return STRENGTH.index(stop.reason) > STRENGTH.index(row.reason)


def _told(state: ConsentState) -> tuple[Any, ...]:
    return state.status, state.may_send, state.since, state.last_event_id


def _stand(stand: Stand) -> tuple[Any, ...]:
    return stand.status, stand.may_send, stand.since, stand.event_id


def _state(address: bytes, channel: str, purpose_id: int, stand: Stand) -> ConsentState:
    return ConsentState(
        address_hash=address,
        channel=channel,
        purpose_id=purpose_id,
        status=stand.status,
        may_send=stand.may_send,
        since=stand.since,
        last_event_id=stand.event_id,
    )


def _suppression(address: bytes, channel: str, purpose_id: int | None, stop: Stop) -> Suppression:
    return Suppression(
        address_hash=address,
        channel=channel,
        purpose_id=purpose_id,
        reason=stop.reason,
        since=stop.since,
        source_event_id=stop.event_id,
    )


def _write(difference: _Difference) -> None:
    if difference.states:
        ConsentState.objects.bulk_create(
            difference.states,
            update_conflicts=True,
            unique_fields=["address_hash", "channel", "purpose"],
            update_fields=["status", "may_send", "since", "last_event"],
            batch_size=1000,
        )
    if difference.stops:
        Suppression.objects.bulk_create(
            difference.stops,
            update_conflicts=True,
            unique_fields=["address_hash", "channel", "purpose"],
            update_fields=["reason", "since", "source_event"],
            batch_size=1000,
        )
    if difference.stale_states:
        ConsentState.objects.filter(pk__in=difference.stale_states).delete()
    if difference.stale_stops:
        Suppression.objects.filter(pk__in=difference.stale_stops).delete()
