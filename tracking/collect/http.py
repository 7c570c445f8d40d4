"""The little of HTTP that the collector speaks: one request read with limits, one answer given."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any

from django.conf import settings

from tracking.collect import limits

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = tuple[tuple[str, str], ...]

_EVERYWHERE: Headers = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-robots-tag", "noindex, nofollow"),
)


class Refuse(Exception):
    """Answer with this status; the reason is counted."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Request:
    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.address = self._sender(scope)
        self._receive = receive

    @property
    def origin(self) -> str:
        return self.headers.get("origin", "")

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "").replace("\0", "\ufffd")[:300]

    async def body(self) -> bytes:
        """All of it, up to the limit and within the time. Compressed bodies are refused: nobody sends us
        any.
        """
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refuse(415, "encoding")
        if (
            self.headers.get("content-length", "0").isdecimal()
            and len(self.headers.get("content-length", "0")) > 9
        ):
            raise Refuse(413, "too_large")
        parts, size, more = [], 0, True
        try:
            async with asyncio.timeout(limits.BODY_SECONDS):
                while more:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise Refuse(400, "disconnected")
                    size += len(message.get("body", b""))
                    if size > limits.BODY_BYTES:
                        raise Refuse(413, "too_large")
                    parts.append(message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Refuse(408, "slow") from None
        return b"".join(parts)

    def _sender(self, scope: Scope) -> str:
        client = scope.get("client") or ("",)
        # The last entry is the one our own proxy wrote; those before it are what the sender claims.
        forwarded = self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return forwarded if forwarded and settings.SECURE_PROXY_SSL_HEADER else client[0]


class Answer:
    def __init__(self, status: int, body: bytes = b"", kind: str = "", headers: Headers = ()) -> None:
        self.status = status
        self.body = body
        self.headers = (*_EVERYWHERE, *headers)
        if kind:
            self.headers += (("content-type", kind),)
        if not any(name == "cache-control" for name, _ in self.headers):
            self.headers += (("cache-control", "no-store"),)

    @cached_property
    def _encoded(self) -> list[tuple[bytes, bytes]]:
        length = () if self.status == 204 else (("content-length", str(len(self.body))),)
        return _encoded((*self.headers, *length))

    async def give(self, send: Send, *, bare: bool = False, extra: Headers = ()) -> None:
        """Send it; `bare` leaves the body out, as HEAD wants."""
        headers = [*self._encoded, *_encoded(extra)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if bare else self.body})


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers]


STORED = Answer(204)
