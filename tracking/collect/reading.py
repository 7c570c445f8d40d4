"""From the bytes of one request to the rows that are kept of it, with a reason for all that is not."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.kernel import strict, tokens
from tracking.collect.journal import Row, Sender
from tracking.visits import messages
from tracking.visits.messages import Refused


@dataclass
class Batch:
    """What one message of the script says, cleaned."""

    key: str
    visitor_id: UUID
    sent: int
    name: str
    events: list[dict[str, Any]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    sanitised: bool = False


def read(body: bytes) -> Batch:
    """Raises Refused where the message as a whole cannot be used; single events are refused one by one."""
    try:
        document = strict.loads(body)
    except strict.Refused as error:
        raise Refused(str(error.reason)) from None
    message = document.value
    if not isinstance(message, Mapping):
        raise Refused("not_an_object")
    batch = Batch(
        key=messages.as_text(message.get("k"), 60),
        visitor_id=messages.as_uuid(message.get("v"), "visitor"),
        sent=messages.as_millis(message.get("s"), "sent_at"),
        name=messages.as_text(message.get("b"), 36),
        sanitised=document.sanitised,
    )
    events = message.get("e")
    if not isinstance(events, list) or not events:
        raise Refused("no_events")
    if len(events) > messages.MAX_EVENTS:
        raise Refused("too_many_events")
    for event in events:
        try:
            batch.events.append(messages.clean_event(event))
        except Refused as error:
            batch.refused[error.reason] += 1
    return batch


def rows(batch: Batch, received_at: datetime, *, is_replay: bool, sender: Sender) -> list[Row]:
    """The rows of a batch. An order stands in a row of its own, with what the fence looks for lifted out of
    it.
    """
    found: list[Row] = []
    plain: list[dict[str, Any]] = []

    def row(events: list[dict[str, Any]], **lifted: Any) -> Row:
        body = {"v": str(batch.visitor_id), "b": batch.name, "s": batch.sent, "e": events}
        if is_replay:
            body["replay"] = True
        return Row(
            source="collect",
            received_at=received_at,
            body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
            visitor_id=batch.visitor_id,
            sanitised=batch.sanitised,
            **lifted,
            **sender,
        )

    for event in batch.events:
        if event["t"] != "order":
            plain.append(event)
            continue
        if plain:
            found.append(row(plain))
            plain = []
        details = event["p"]
        found.append(
            row(
                [event],
                has_order=True,
                cart_token=details.get("cart_token", ""),
                address_hash=_hash(details.get("email", "")),
            )
        )
    if plain:
        found.append(row(plain))
    return found


def _hash(email: str) -> bytes | None:
    try:
        return tokens.address_hash("email", email)[0] if email else None
    except ValueError:
        return None
