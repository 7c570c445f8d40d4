"""From raw rows to acts: one thing somebody did, whoever told of it. Knows nothing yet of who they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.people.identity import Known
from tracking.mail.tokens import NOBODY, read_restore
from tracking.models import Actor, InboundEvent
from tracking.visits import actors, messages

HITS = ("open", "click")


@dataclass
class Act:
    """`contact_id` is given where a signed token or the shop's server named the person, else found by the
    visitor.
    """

    id: UUID
    kind: str
    at: datetime
    row: InboundEvent
    visitor_id: UUID | None = None
    contact_id: UUID | None = None
    ref: UUID | None = None
    url: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    actor: Actor = Actor.HUMAN
    rules: list[str] = field(default_factory=list)
    who: Known | None = None
    is_replay: bool = False

    @property
    def recorded_at(self) -> datetime:
        return self.at if self.is_replay else self.row.received_at

    @property
    def is_human(self) -> bool:
        return self.actor in (Actor.HUMAN, Actor.LIKELY_HUMAN)


def acts(rows: Iterable[InboundEvent]) -> list[Act]:
    return [act for row in rows for act in _of(row)]


def _of(row: InboundEvent) -> Iterator[Act]:
    if row.source in HITS:
        yield _hit(row)
    elif row.source == "api":
        yield from _told_by_server(row)
    else:
        yield from _told_by_script(row)


def _told_by_script(row: InboundEvent) -> Iterator[Act]:
    body = row.body
    actor = Actor.MACHINE if actors.is_machine(row.user_agent) and not body.get("replay") else Actor.HUMAN
    for event in body["e"]:
        yield Act(
            id=UUID(event["id"]),
            kind=event["t"],
            at=messages.occurred_at(event["at"], body["s"], row.received_at),
            row=row,
            visitor_id=UUID(body["v"]),
            ref=_ref_of(event),
            url=event.get("url", ""),
            details=event.get("p", {}),
            actor=actor,
            is_replay=body.get("replay", False),
        )


def _told_by_server(row: InboundEvent) -> Iterator[Act]:
    """The shop's server is believed: it names the person, and its clock is its own."""
    for event in row.body["e"]:
        yield Act(
            id=UUID(event["id"]),
            kind=event["t"],
            at=min(messages.as_instant(event["at"]), row.received_at),
            row=row,
            visitor_id=UUID(event["v"]) if event.get("v") else None,
            url=event.get("url", ""),
            details=event.get("p", {}),
            who=Known(**event["who"]),
        )


def _ref_of(event: dict[str, Any]) -> UUID | None:
    """The delivery whose restore link brought a cart back."""
    restored = read_restore(event["p"]["token"]) if event["t"] == "restore" else None
    return restored.ref if restored and restored.ref != NOBODY else None


def _hit(row: InboundEvent) -> Act:
    body = row.body
    actor, rules = actors.of_hit(row.source, body["m"], body["h"], row.user_agent)
    if body.get("replay"):
        actor, rules = Actor.HUMAN, []
    contact_id = UUID(body["contact"])
    return Act(
        id=UUID(body["id"]),
        kind=row.source,
        at=row.received_at,
        row=row,
        contact_id=None if contact_id == NOBODY else contact_id,
        ref=UUID(body["ref"]),
        url=body.get("url", "")[:1000],
        actor=actor,
        rules=rules,
        is_replay=body.get("replay", False),
    )
