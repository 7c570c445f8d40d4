"""What the tokens in messages carry: fixed layouts of bytes, signed for one purpose each. Knows no models.

An open or click names a delivery only by an opaque `ref`, and where it leads only by a link's number.
"""

import struct
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crm.kernel import tokens
from crm.kernel.tokens import Purpose

# How long a landing may confirm the click it came from.
LANDING_WINDOW = timedelta(minutes=5)
NOBODY = uuid.UUID(int=0)

_CLICK = struct.Struct(">Q16s16s")
_OPEN = struct.Struct(">16s16s")
_RESTORE = struct.Struct(">16s16s16s")
_LANDING = struct.Struct(">16s16s16sQ")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Opened:
    ref: uuid.UUID
    contact_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Clicked:
    link_id: int
    ref: uuid.UUID
    contact_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Landed:
    """The click (its event and instant) that a page load claims to come from."""

    click_id: uuid.UUID
    clicked_at: datetime
    ref: uuid.UUID
    contact_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Restored:
    cart_id: uuid.UUID
    contact_id: uuid.UUID
    ref: uuid.UUID


def sign_open(ref: uuid.UUID, contact_id: uuid.UUID | None) -> str:
    return tokens.sign(Purpose.OPEN, _OPEN.pack(ref.bytes, (contact_id or NOBODY).bytes))


def read_open(token: str) -> Opened | None:
    found = _read(Purpose.OPEN, token, _OPEN)
    return Opened(uuid.UUID(bytes=found[0]), uuid.UUID(bytes=found[1])) if found else None


def sign_click(link_id: int, ref: uuid.UUID, contact_id: uuid.UUID | None) -> str:
    return tokens.sign(Purpose.CLICK, _CLICK.pack(link_id, ref.bytes, (contact_id or NOBODY).bytes))


def read_click(token: str) -> Clicked | None:
    found = _read(Purpose.CLICK, token, _CLICK)
    return Clicked(found[0], uuid.UUID(bytes=found[1]), uuid.UUID(bytes=found[2])) if found else None


def sign_restore(cart_id: uuid.UUID, contact_id: uuid.UUID, ref: uuid.UUID | None) -> str:
    return tokens.sign(
        Purpose.CART_RESTORE, _RESTORE.pack(cart_id.bytes, contact_id.bytes, (ref or NOBODY).bytes)
    )


def read_restore(token: str) -> Restored | None:
    found = _read(Purpose.CART_RESTORE, token, _RESTORE)
    return Restored(*(uuid.UUID(bytes=part) for part in found)) if found else None


def sign_landing(click_id: uuid.UUID, clicked_at: datetime, clicked: Clicked) -> str:
    """A token for the shop's address: it confirms this one click, for a few minutes."""
    payload = _LANDING.pack(
        click_id.bytes, clicked.ref.bytes, clicked.contact_id.bytes, (clicked_at - _EPOCH) // _MILLISECOND
    )
    return tokens.sign(Purpose.LANDING, payload, until=clicked_at + LANDING_WINDOW)


def read_landing(token: str, *, now: datetime) -> Landed | None:
    found = _read(Purpose.LANDING, token, _LANDING, now=now)
    if not found:
        return None
    click, ref, contact, at = found
    return Landed(
        uuid.UUID(bytes=click), _EPOCH + at * _MILLISECOND, uuid.UUID(bytes=ref), uuid.UUID(bytes=contact)
    )


def _read(
    purpose: Purpose, token: str, layout: struct.Struct, *, now: datetime | None = None
) -> tuple | None:
    payload = tokens.read(purpose, token, now=now)
    if payload is None or len(payload) != layout.size:
        return None
    return layout.unpack(payload)
