"""Record what people said of being written to, and derive from it who may be. Events are only ever added.

Nothing here decides for a person: imports and colleagues can stop messages and claim consent with proof, but
only the person's own confirmation lifts what the person stopped.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from crm.kernel import tokens
from crm.models import (
    Channel,
    ConsentDetail,
    ConsentEvent,
    ContactPoint,
    Purpose,
    Suppression,
)
from crm.people import chain, marks, wordings
from crm.people.deriving import Action
from crm.people.permission import REASONS, allowed, allowed_for, may_send, refusal_reason
from crm.people.standing import rebuild_states, store
from crm.people.wordings import Shown

__all__ = [
    "REASONS",
    "Said",
    "allowed",
    "allowed_for",
    "may_send",
    "rebuild_states",
    "record",
    "refusal_reason",
    "verify_chain",
    "withdraw",
]

_LOCKS = 256
_LOCK_SPACE = 0x52656B  # advisory locks of this module; the second key is a part of the address hash
_Matter = tuple[bytes, str, int | None]
_GRANTS = (Action.GRANTED, Action.CONFIRMED)


@dataclass(frozen=True)
class Said:
    """One thing said of one address, channel and purpose; `purpose_key=None` is every purpose.

    `occurred_at=None` is for imports that do not know when. `source_kind` says where it came from: form,
    checkout, unsubscribe, preferences, staff, import, provider, shop…
    """

    address_hash: bytes
    channel: str
    purpose_key: str | None
    action: str
    occurred_at: datetime | None
    source_kind: str
    address: str = ""
    contact_id: UUID | None = None
    wording: str = ""
    locale: str = ""
    legal_basis: str = ""
    source_ref: str = ""
    actor: str = ""
    ip: str = ""
    user_agent: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    is_backfill: bool = False

    @property
    def wording_shown(self) -> Shown:
        return Shown(self.purpose_key or "", self.locale or "en", self.wording)


def record(batch: Sequence[Said], now: datetime, *, unless_repeated: bool = False) -> list[ConsentEvent]:
    """Append what was said, and bring states and suppressions up to date, all or nothing.

    With `unless_repeated`, what only says again how things stand already adds no event. A batch costs a fixed
    number of queries. Processes that write of the same address take turns, always in the same order.
    """
    if not batch:
        return []
    with transaction.atomic():
        purposes = {purpose.key: purpose for purpose in Purpose.objects.all()}
        batch = [_checked(said, purposes) for said in batch]
        _lock(batch)
        batch = _after_complaints(batch)
        earlier = _events_of({said.address_hash for said in batch})
        if unless_repeated:
            batch = _news(batch, earlier, purposes)
        details = _append(batch, earlier, purposes, now)
        if details:
            store(earlier, {purpose.pk: purpose for purpose in purposes.values()})
            marks.leave(details)
        return [detail.event for detail in details]


def withdraw(
    address_hash: bytes,
    channel: str,
    purpose_key: str | None,
    now: datetime,
    *,
    source_kind: str,
    **details: Any,
) -> bool:
    """Take back consent for one purpose or every one. Returns whether that was news."""
    said = Said(address_hash, channel, purpose_key, Action.WITHDRAWN, now, source_kind, **details)
    return bool(record([said], now, unless_repeated=True))


def verify_chain(address_hash: bytes) -> list[str]:
    """What is wrong with the chain of an address: nothing, where it verifies."""
    return chain.problems(address_hash)


def truncated(ip: str) -> str:
    """An IP address without what tells one household from another."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    prefix = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False).network_address)


def _checked(said: Said, purposes: dict[str, Purpose]) -> Said:
    Action(said.action)
    Channel(said.channel)
    if said.purpose_key is not None and said.purpose_key not in purposes:
        raise ValueError(f"there is no purpose called {said.purpose_key!r}")
    if said.purpose_key is None and said.action in (*_GRANTS, Action.REQUESTED, Action.IMPORTED):
        raise ValueError("nobody agrees to every purpose at once: name the purpose")
    has_proof = said.occurred_at is not None and said.wording and said.source_ref
    if said.source_kind == "import" and said.action in _GRANTS and not has_proof:
        return replace(said, action=Action.IMPORTED)
    return said


def _lock(batch: Iterable[Said]) -> None:
    """One lock a share of all addresses, so that a batch of any size takes at most a few hundred."""
    shares = sorted({int.from_bytes(said.address_hash[:4], "big") % _LOCKS for said in batch})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, share) FROM unnest(%s::int[]) AS share", [_LOCK_SPACE, shares]
        )


def _after_complaints(batch: list[Said]) -> list[Said]:
    """Who complained as ana+shop@… has complained as ana@…: a grant under another spelling comes too late."""
    folded: dict[bytes, list[Said]] = {}
    for said in batch:
        if said.action in _GRANTS and said.address:
            folded.setdefault(tokens.folded_hash(said.channel, said.address)[0], []).append(said)
    stops = Suppression.objects.filter(
        address_hash__in=list(folded), purpose=None, reason=Suppression.Reason.COMPLAINED
    )
    late: dict[tuple[bytes, str], Said] = {}
    for digest, channel, since in stops.values_list("address_hash", "channel", "since"):
        for said in folded[bytes(digest)]:
            if said.channel == channel:
                complaint = Said(
                    said.address_hash,
                    channel,
                    None,
                    Action.COMPLAINED,
                    since,
                    "same_mailbox",
                    address=said.address,
                )
                late.setdefault((said.address_hash, channel), complaint)
    return [*late.values(), *batch]


def _events_of(addresses: Iterable[bytes]) -> dict[bytes, list[ConsentEvent]]:
    events: dict[bytes, list[ConsentEvent]] = {address: [] for address in addresses}
    for event in ConsentEvent.objects.filter(address_hash__in=list(events)).order_by(
        "address_hash", "position"
    ):
        events[bytes(event.address_hash)].append(event)
    return events


def _news(
    batch: list[Said], earlier: dict[bytes, list[ConsentEvent]], purposes: dict[str, Purpose]
) -> list[Said]:
    """Leave out what the last event on the same matter said already."""
    last: dict[_Matter, str] = {}
    for address, events in earlier.items():
        for event in events:
            _remember(last, (address, event.channel, event.purpose_id), event.action)
    news = []
    for said in batch:
        purpose_id = purposes[said.purpose_key].pk if said.purpose_key else None
        matter = (said.address_hash, said.channel, purpose_id)
        if last.get(matter) != said.action:
            _remember(last, matter, said.action)
            news.append(said)
    return news


def _remember(last: dict[_Matter, str], matter: _Matter, action: str) -> None:
    address, channel, purpose_id = matter
    if purpose_id is None:
        # A word on everything is a word on each: what is said of one after it is news again.
        for other in [kept for kept in last if kept[:2] == (address, channel)]:
            del last[other]
    elif action in _GRANTS:
        last.pop((address, channel, None), None)
    last[matter] = action


def _append(
    batch: list[Said], earlier: dict[bytes, list[ConsentEvent]], purposes: dict[str, Purpose], now: datetime
) -> list[ConsentDetail]:
    texts = wordings.kept((said.wording_shown for said in batch if said.wording), now)
    points = _points(batch)
    details: list[ConsentDetail] = []
    for said in batch:
        before = earlier[said.address_hash]
        occurred_at = min(said.occurred_at or now, now)
        text = texts.get(said.wording_shown)
        event = ConsentEvent(
            address_hash=said.address_hash,
            position=len(before) + 1,
            channel=said.channel,
            purpose=purposes[said.purpose_key] if said.purpose_key else None,
            action=said.action,
            legal_basis=said.legal_basis[:30],
            text=text,
            source_kind=said.source_kind[:30],
            occurred_at=occurred_at,
            recorded_at=occurred_at if said.is_backfill else now,
            is_backfill=said.is_backfill,
        )
        point = points.get((said.address_hash, said.channel))
        detail = ConsentDetail(
            event=event,
            address_hash=said.address_hash,
            contact_id=said.contact_id or (point.contact_id if point else None),
            address=(said.address or (point.address if point else ""))[:254],
            source_ref=said.source_ref[:200],
            actor=said.actor[:120],
            ip_truncated=truncated(said.ip),
            user_agent=said.user_agent[:300],
            evidence=chain.plain(said.evidence),
        )
        chain.seal_detail(event, detail)
        head = bytes(before[-1].row_sha256) if before else chain.START
        chain.seal(event, said.purpose_key or "", bytes(text.sha256) if text else b"", head)
        before.append(event)
        details.append(detail)
    ConsentEvent.objects.bulk_create([detail.event for detail in details], batch_size=1000)
    ConsentDetail.objects.bulk_create(details, batch_size=1000)
    return details


def _points(batch: list[Said]) -> dict[tuple[bytes, str], ContactPoint]:
    rows = ContactPoint.objects.filter(address_hash__in={said.address_hash for said in batch})
    return {(bytes(point.address_hash), point.channel): point for point in rows}
