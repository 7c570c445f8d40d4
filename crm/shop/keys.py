"""Keys of the server API: shown once when made, kept as a hash, revoked for good."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from crm.models import ServerKey


def issue(name: str, now: datetime) -> str:
    """A new key. This is the only time it can be read."""
    key = f"sk_{secrets.token_urlsafe(30)}"
    ServerKey.objects.create(name=name, prefix=key[:8], sha256=digest(key), created_at=now)
    return key


def recognise(key: str) -> ServerKey | None:
    """The key's row, unless it was revoked or never ours."""
    return ServerKey.objects.filter(sha256=digest(key), revoked_at=None).first()


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()
