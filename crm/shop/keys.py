"""Keys of the server API: shown once when made, kept as a hash, revoked for good. And that of webhooks."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime

from crm.kernel import tokens
from crm.models import ServerKey

WEBHOOKS = "webhook"


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


def webhook_secret() -> str:
    """The key that receivers verify webhooks with, as the Standard Webhooks libraries take it."""
    return f"whsec_{base64.b64encode(tokens.derive(WEBHOOKS)).decode()}"
