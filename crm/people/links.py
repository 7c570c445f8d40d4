"""The links every message carries: unsubscribe, preferences, and why it came. They never run out.

A token names an address by its keyed hash, a purpose, and the message it stood in; nothing in it can be
read back into an address.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from crm.kernel import tokens

_HASH, _PURPOSE, _MESSAGE = 32, 2, 16


class Mailed(NamedTuple):
    """What a link of a message says: whose address, what it was about, and which message."""

    address_hash: bytes
    purpose_id: int
    public_id: UUID


def unsubscribe_url(address_hash: bytes, purpose_id: int, public_id: UUID) -> str:
    """By GET a page with a button; by POST, with nothing else needed, an unsubscribe (RFC 8058)."""
    return _url("u", tokens.Purpose.UNSUBSCRIBE, Mailed(address_hash, purpose_id, public_id))


def preferences_url(address_hash: bytes, purpose_id: int, public_id: UUID) -> str:
    """The page where a person says what they want to be written to about."""
    return _url("p", tokens.Purpose.PREFERENCES, Mailed(address_hash, purpose_id, public_id))


def why_url(address_hash: bytes, purpose_id: int, public_id: UUID) -> str:
    """The page that says why the message came."""
    return _url("why", tokens.Purpose.WHY, Mailed(address_hash, purpose_id, public_id))


def read(purpose: tokens.Purpose, token: str) -> Mailed | None:
    """What a token says, or nothing where it is not ours or was made for another page."""
    payload = tokens.read(purpose, token)
    if payload is None or len(payload) != _HASH + _PURPOSE + _MESSAGE:
        return None
    address_hash, rest = payload[:_HASH], payload[_HASH:]
    return Mailed(address_hash, int.from_bytes(rest[:_PURPOSE], "big"), UUID(bytes=rest[_PURPOSE:]))


def _url(page: str, purpose: tokens.Purpose, mailed: Mailed) -> str:
    payload = (
        bytes(mailed.address_hash) + mailed.purpose_id.to_bytes(_PURPOSE, "big") + mailed.public_id.bytes
    )
    return f"{settings.REKINDLE_PUBLIC_URL}/{page}/{tokens.sign(purpose, payload)}"
