"""The chain of consent events of one address: each row seals the one before it and the digest of its detail.

Erasing a detail (who, from where, with what evidence) leaves the chain verifiable; changing or removing
an event does not.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from typing import Any

from crm.models import ConsentDetail, ConsentEvent

START = bytes(32)


def seal(event: ConsentEvent, purpose_key: str, text_sha256: bytes, before: bytes) -> None:
    """Bind an event to the one before it."""
    event.prev_sha256 = before
    event.row_sha256 = _row_digest(event, purpose_key, text_sha256)


def seal_detail(event: ConsentEvent, detail: ConsentDetail) -> None:
    """Bind an event to a salted digest of its detail."""
    detail.salt = secrets.token_bytes(16)
    event.detail_digest = _detail_digest(detail)


def problems(address_hash: bytes) -> list[str]:
    """What is wrong with the chain of an address; nothing, where it verifies."""
    events = ConsentEvent.objects.filter(address_hash=address_hash).order_by("position")
    found: list[str] = []
    before = START
    for place, event in enumerate(events.select_related("purpose", "text", "detail"), start=1):
        if event.position != place:
            found.append(f"position {place} is missing")
            break
        text_sha256 = bytes(event.text.sha256) if event.text else b""
        if bytes(event.prev_sha256) != before:
            found.append(f"position {place} does not follow the one before it")
        if bytes(event.row_sha256) != _row_digest(
            event, event.purpose.key if event.purpose else "", text_sha256
        ):
            found.append(f"position {place} has been changed")
        if event.text and text_sha256 != wording_digest(
            event.text.purposes, event.text.locale, event.text.wording
        ):
            found.append(f"the wording of position {place} has been changed")
        detail = getattr(event, "detail", None)
        if detail is not None and bytes(event.detail_digest) != _detail_digest(detail):
            found.append(f"the detail of position {place} has been changed")
        before = bytes(event.row_sha256)
    return found


def wording_digest(purposes: list[str], locale: str, wording: str) -> bytes:
    return hashlib.sha256(_canonical([sorted(purposes), locale, wording])).digest()


def plain(value: Any) -> Any:
    """Evidence that reads back from the database exactly as written: odd values become texts."""
    if isinstance(value, dict):
        return {str(key)[:100]: plain(kept) for key, kept in value.items()}
    if isinstance(value, list | tuple):
        return [plain(kept) for kept in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def _row_digest(event: ConsentEvent, purpose_key: str, text_sha256: bytes) -> bytes:
    fields = [
        str(event.pk),
        event.position,
        bytes(event.address_hash).hex(),
        event.channel,
        purpose_key,
        event.action,
        event.legal_basis,
        text_sha256.hex(),
        event.source_kind,
        _instant(event.occurred_at),
        _instant(event.recorded_at),
        event.is_backfill,
    ]
    sealed = bytes(event.prev_sha256) + _canonical(fields) + bytes(event.detail_digest)
    return hashlib.sha256(sealed).digest()


def _detail_digest(detail: ConsentDetail) -> bytes:
    fields = {
        "contact_id": str(detail.contact_id or ""),
        "address": detail.address,
        "source_ref": detail.source_ref,
        "actor": detail.actor,
        "ip": detail.ip_truncated,
        "user_agent": detail.user_agent,
        "evidence": detail.evidence,
    }
    return hashlib.sha256(bytes(detail.salt) + _canonical(fields)).digest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
