"""What a chain of consent events adds up to. Pure: the one meaning, used when recording and when rebuilding.

A later withdrawal beats every grant; after it only the person's own confirmation counts. A complaint, a
bounce for good and an erasure are never undone by anything that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from crm.models import ConsentEvent, ConsentState, Purpose, Suppression

Action = ConsentEvent.Action
Status = ConsentState.Status
Reason = Suppression.Reason

NEVER = datetime.min.replace(tzinfo=UTC)

NOT_THE_PERSON = frozenset({"import", "staff"})
"""Sources that speak of a person, and so can never lift what the person said."""

LIFTABLE = (Reason.UNSUBSCRIBED, Reason.STAFF, Reason.IMPORTED)
STOPS_ALL = (Reason.HARD_BOUNCE, Reason.ERASED)
"""Reasons that stop transactional messages, too."""

STRENGTH: list[str] = [*LIFTABLE, Reason.COMPLAINED, Reason.HARD_BOUNCE, Reason.ERASED]
_ENDINGS = {
    Action.COMPLAINED: Reason.COMPLAINED,
    Action.BOUNCED: Reason.HARD_BOUNCE,
    Action.ERASED: Reason.ERASED,
}


@dataclass
class Stand:
    """How one channel and purpose stands."""

    status: str = Status.UNKNOWN
    may_send: bool = False
    since: datetime = NEVER
    event_id: UUID | None = None
    is_blocked: bool = False
    is_final: bool = False
    blocked_by: str = ""
    blocked_at: datetime | None = None
    block_id: UUID | None = None


@dataclass(frozen=True)
class Stop:
    """Why nothing at all goes to an address on a channel, or nothing of one purpose."""

    reason: str
    since: datetime
    event_id: UUID


@dataclass
class Derived:
    """The states and stops of one address, by (channel, purpose); purpose None stops every one."""

    stands: dict[tuple[str, int], Stand] = field(default_factory=dict)
    stops: dict[tuple[str, int | None], Stop] = field(default_factory=dict)


def derive(events: Iterable[ConsentEvent], purposes: Mapping[int, Purpose]) -> Derived:
    """States and stops of one address, from all its events."""
    told = sorted(events, key=lambda event: (event.occurred_at, event.position))
    derived = Derived()
    named = {(event.channel, event.purpose_id) for event in told if event.purpose_id is not None}
    for channel, purpose_id in named:
        stand = Stand()
        for event in told:
            if event.channel == channel and event.purpose_id in (purpose_id, None):
                _hear(stand, event, is_transactional=_is_transactional(purposes, purpose_id))
        if stand.event_id is not None:
            derived.stands[channel, purpose_id] = stand
        if stand.blocked_at and stand.block_id:
            stop = Stop(stand.blocked_by, stand.blocked_at, stand.block_id)
            derived.stops[channel, purpose_id] = stop
    for event in told:
        _stop_all(derived, event)
    return derived


def _is_transactional(purposes: Mapping[int, Purpose], purpose_id: int) -> bool:
    purpose = purposes.get(purpose_id)
    return purpose is not None and purpose.kind == Purpose.Kind.TRANSACTIONAL


def _hear(stand: Stand, event: ConsentEvent, *, is_transactional: bool) -> None:
    if event.action in (Action.WITHDRAWN, Action.OBJECTED):
        if event.purpose_id is None and is_transactional:
            return  # "Everything" cannot mean the receipt of an order.
        _settle(stand, event, Status.WITHDRAWN, may_send=False)
        if event.purpose_id is not None:
            stand.blocked_by, stand.blocked_at, stand.block_id = _by_whom(event), event.occurred_at, event.pk
        stand.is_blocked = True
    elif event.action in (Action.COMPLAINED, Action.ERASED):
        _settle(stand, event, Status.WITHDRAWN, may_send=False)
        stand.is_blocked = stand.is_final = True
    elif stand.is_final:
        return
    elif event.action == Action.CONFIRMED and event.source_kind not in NOT_THE_PERSON:
        stand.is_blocked, stand.blocked_at = False, None
        _settle(stand, event, Status.GRANTED, may_send=True)
    elif stand.is_blocked:
        return
    elif event.action in (Action.GRANTED, Action.CONFIRMED):
        _settle(stand, event, Status.GRANTED, may_send=True)
    elif event.action == Action.REFUSED:
        _settle(stand, event, Status.REFUSED, may_send=False)
    elif event.action == Action.REQUESTED and not stand.may_send:
        _settle(stand, event, Status.PENDING, may_send=False)
    elif event.action == Action.EXPIRED and stand.status in (Status.PENDING, Status.GRANTED):
        _settle(stand, event, Status.EXPIRED, may_send=False)
    elif event.action == Action.IMPORTED and stand.event_id is None:
        _settle(stand, event, Status.UNKNOWN, may_send=False)


def _settle(stand: Stand, event: ConsentEvent, status: str, *, may_send: bool) -> None:
    if stand.status != status or stand.event_id is None:
        stand.since = event.occurred_at
    stand.status, stand.may_send, stand.event_id = status, may_send, event.pk


def _stop_all(derived: Derived, event: ConsentEvent) -> None:
    if event.action in _ENDINGS:
        reason = _ENDINGS[Action(event.action)]
    elif event.action in (Action.WITHDRAWN, Action.OBJECTED) and event.purpose_id is None:
        reason = _by_whom(event)
    else:
        return
    before = derived.stops.get((event.channel, None))
    if before is None or STRENGTH.index(reason) > STRENGTH.index(before.reason):
        derived.stops[event.channel, None] = Stop(reason, event.occurred_at, event.pk)
    elif before.reason in LIFTABLE and reason in LIFTABLE:
        # Said again after a confirmation in between: it counts from now.
        derived.stops[event.channel, None] = Stop(reason, event.occurred_at, event.pk)


def _by_whom(event: ConsentEvent) -> Reason:
    return {"staff": Reason.STAFF, "import": Reason.IMPORTED}.get(event.source_kind, Reason.UNSUBSCRIBED)
