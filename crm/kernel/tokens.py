"""Signed tokens for public links, and keyed hashes of addresses.

The keys are a ring of their own, not SECRET_KEY: changing the session secret must not kill unsubscribe links.
The first link key signs, all verify; the address key with the highest number is current.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils.crypto import constant_time_compare

from crm.kernel.addresses import fold, normalise

__all__ = [
    "Purpose",
    "address_hash",
    "address_hashes",
    "current_address_key",
    "derive",
    "derive_all",
    "fold",
    "folded_hash",
    "has_older_keys",
    "normalise",
    "read",
    "sign",
    "spelled_and_hashed",
]

_MAC_BYTES = 16
_LONGEST = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Purpose(StrEnum):
    """What a token may be used for; one made for one purpose is refused at every other door."""

    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    WHY = "why"
    SURVEY = "survey"
    CONFIRM = "confirm"
    CART_RESTORE = "cart_restore"
    LANDING = "landing"
    IDENTITY = "identity"


def sign(purpose: Purpose, payload: bytes, *, until: datetime | None = None) -> str:
    """A token that carries the payload, in clear, for one purpose: for ever, or `until` an instant."""
    body = payload if until is None else _seconds(until).to_bytes(8, "big") + payload
    key = _keys()[0]
    return _encode(_mac(key, purpose, until is not None, body) + body)


def read(purpose: Purpose, token: str, *, now: datetime | None = None) -> bytes | None:
    """The payload, or nothing where the token is not ours, not for this purpose, or past its time.

    Tokens made with `until` are read with `now`, the others without: neither passes for the other.
    """
    raw = _decode(token)
    if raw is None or len(raw) < _MAC_BYTES:
        return None
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    timed = now is not None
    # No early exit: which key signed must not show in the time taken.
    verified = [constant_time_compare(mac, _mac(key, purpose, timed, body)) for key in _keys()]
    if not any(verified):
        return None
    if now is None:
        return body
    if len(body) < 8 or _seconds(now) > int.from_bytes(body[:8], "big"):
        return None
    return body[8:]


def derive(purpose: str) -> bytes:
    """A secret of 32 bytes for one purpose, for instance the one a shop's server signs identities with."""
    return _derive(_keys()[0], f"secret:{purpose}")


def derive_all(purpose: str) -> list[bytes]:
    """The current secret and those of older keys, which still verify while keys are being changed."""
    return [_derive(key, f"secret:{purpose}") for key in _keys()]


def address_hash(channel: str, address: str) -> tuple[bytes, int]:
    """The keyed hash of the normalised address under the current key, and that key's number."""
    keys = _address_keys()
    current = max(keys)
    return _hash(keys[current], normalise(channel, address)), current


def spelled_and_hashed(channel: str, address: str, *, region: str | None = None) -> tuple[str, bytes, int]:
    """The address as we keep it, its hash under the current key, and that key's number."""
    keys = _address_keys()
    current, plain = max(keys), normalise(channel, address, region=region)
    return plain, _hash(keys[current], plain), current


def current_address_key() -> int:
    """The number of the key that addresses are hashed under now."""
    return max(_address_keys())


def has_older_keys() -> bool:
    """Whether an address may be known under another hash than the current one."""
    return len(_address_keys()) > 1


def address_hashes(channel: str, address: str) -> dict[int, bytes]:
    """The hash under every key we still hold, for look-ups while keys are being changed."""
    plain = normalise(channel, address)
    return {number: _hash(key, plain) for number, key in _address_keys().items()}


def folded_hash(channel: str, address: str) -> tuple[bytes, int]:
    """The hash complaints also go by: when ana+shop@example.com complained, so did ana@example.com."""
    keys = _address_keys()
    current = max(keys)
    return _hash(keys[current], "folded:" + fold(channel, address)), current


def _mac(key: bytes, purpose: Purpose, timed: bool, body: bytes) -> bytes:
    label = f"{'timed' if timed else 'token'}:{Purpose(purpose).value}"
    return hmac.digest(_derive(key, label), body, "sha256")[:_MAC_BYTES]


def _derive(key: bytes, label: str) -> bytes:
    return hmac.digest(key, b"rekindle:" + label.encode(), "sha256")


def _hash(key: bytes, plain: str) -> bytes:
    return hmac.digest(key, plain.encode(), "sha256")


def _keys() -> list[bytes]:
    keys = list(settings.REKINDLE_LINK_KEYS)
    if not keys or not all(len(key) >= 32 for key in keys):
        raise RuntimeError("REKINDLE_LINK_KEYS needs at least one key of 32 bytes or more")
    return keys


def _address_keys() -> dict[int, bytes]:
    keys: dict[int, bytes] = settings.REKINDLE_ADDRESS_KEYS
    if not keys or min(map(len, keys.values())) < 32:
        raise RuntimeError("REKINDLE_ADDRESS_KEYS needs at least one numbered key of 32 bytes or more")
    return keys


def _seconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(seconds=1)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(token: str) -> bytes | None:
    if not token or len(token) > _LONGEST or not token.isascii():
        return None
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    # Base64 ignores some characters and the last spare bits: only the one spelling we made is ours.
    return raw if _encode(raw) == token else None
