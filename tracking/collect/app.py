"""The public endpoints of tracking, as a small raw ASGI app of their own: collect, open, click, restore,
the script.

Whatever is answered with success is committed. Nothing here reads or sets a cookie, follows an address from a
request, or changes anything a person has: rows are only added, ingest reads them later.
"""

import gzip
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg_pool import PoolTimeout

from crm.kernel import clock, ids
from tracking.collect import database, limits, reading
from tracking.collect.http import STORED, Answer, Headers, Receive, Refuse, Request, Scope, Send
from tracking.collect.journal import Busy, Journal, Row, Sender, Unavailable, Unwritable
from tracking.collect.refusals import Refusals
from tracking.collect.shop import Known, Shop, is_server_key, origin_of
from tracking.mail import tokens
from tracking.visits import messages

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).parent.parent / "static" / "tracking" / "rekindle.js"
PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
DOORS = {"c": "collect", "o": "open", "k": "click", "restore": "restore", "rekindle.js": "script"}
_REMEMBERED = ("accept", "accept-language", "purpose", "sec-purpose", "x-purpose", "x-moz")


class Collector:
    def __init__(self) -> None:
        self._script = _Script()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(Request(scope, receive), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._pool = database.pool()
        await self._pool.open(wait=False)
        self._journal, self._refusals, self._shop = (
            Journal(self._pool),
            Refusals(self._pool),
            Shop(self._pool),
        )
        rate = settings.REKINDLE_COLLECT_RATE
        self._buckets = limits.Buckets(rate, burst=rate * limits.BURST_SECONDS)
        self._journal.start()
        self._refusals.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._journal.stop()
        await self._refusals.stop()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, request: Request, send: Send) -> None:
        first, _, rest = request.path.removeprefix("/").partition("/")
        door = DOORS.get(first, "other")
        extra: Headers = ()
        try:
            known = await self._shop.known()
            extra = _cors(request, known)
            answer = await self._route(door, rest, request, known)
        except Refuse as refused:
            self._refusals.count(door, refused.reason)
            answer = _words(refused.status, refused.reason)
        except Busy:
            self._refusals.count(door, "busy")
            answer = Answer(429, b"busy\n", "text/plain", (("retry-after", "2"),))
        except (Unavailable, psycopg.OperationalError, PoolTimeout, OSError):
            # Not the sender's fault: the script keeps its batch and comes back.
            self._refusals.count(door, "unavailable")
            answer = Answer(503, b"unavailable\n", "text/plain", (("retry-after", "5"),))
        except Exception:
            # Whatever was sent, nobody outside sees a 5xx; the count says that we have a bug.
            logger.exception("A request to %s ended in an error nobody foresaw", door)
            self._refusals.count(door, "bug")
            answer = _words(400, "bad_request")
        with suppress(OSError):
            await answer.give(send, bare=request.method == "HEAD", extra=extra)

    async def _route(self, door: str, rest: str, request: Request, known: Known) -> Answer:
        handlers: dict[str, Callable[[str, Request, Known], Awaitable[Answer]]] = {
            "open": self._open,
            "click": self._click,
            "restore": self._restore,
        }
        if door in handlers:
            if not rest or len(rest) > limits.TOKEN_LENGTH:
                raise Refuse(404, "token")
            handler = handlers[door]
        elif door in ("collect", "script") and not rest:
            handler = {"collect": self._collect, "script": self._give_script}[door]
        else:
            raise Refuse(404, "no_such_page")
        allowed = ("POST",) if door == "collect" else ("GET", "HEAD")
        if request.method == "OPTIONS" and door in ("collect", "restore"):
            return _preflight(request, known)
        if request.method not in allowed:
            raise Refuse(405, "method")
        return await handler(rest, request, known)

    async def _collect(self, rest: str, request: Request, known: Known) -> Answer:
        is_replay = self._admit(request, known)
        if not is_replay and request.origin and request.origin not in known.origins:
            raise Refuse(403, "origin")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("text/plain", "application/json"):
            raise Refuse(415, "content_type")
        # Long texts of a hostile body are hashed and matched by C code; parsing 64 KB takes about a
        # millisecond.
        try:
            batch = reading.read(await request.body())
        except messages.Refused as refused:
            raise Refuse(400, refused.reason) from None
        if not known.ingest_key or not _same(batch.key, known.ingest_key):
            raise Refuse(403, "key")
        for reason, number in batch.refused.items():
            self._refusals.count("event", reason, number)
        if not batch.events:
            raise Refuse(400, "no_good_event")
        received_at = _told_instant(request) or messages.as_instant(batch.sent) if is_replay else clock.now()
        rows = reading.rows(batch, received_at, is_replay=is_replay, sender=_sender(request))
        await self._write(rows)
        if batch.refused:
            told = {"stored": len(batch.events), "refused": batch.refused}
            return Answer(200, json.dumps(told).encode(), "application/json")
        return STORED

    async def _open(self, rest: str, request: Request, known: Known) -> Answer:
        opened = tokens.read_open(rest)
        if opened is None:
            raise Refuse(404, "token")
        at, is_replay = self._moment(request, known)
        body = {"id": str(ids.uuid7(at)), "ref": str(opened.ref), "contact": str(opened.contact_id)}
        await self._note("open", body, at, request, is_replay)
        return Answer(200, PIXEL, "image/gif")

    async def _click(self, rest: str, request: Request, known: Known) -> Answer:
        clicked = tokens.read_click(rest)
        target = await self._shop.link(clicked.link_id) if clicked else None
        if clicked is None or target is None:
            raise Refuse(404, "token")
        at, is_replay = self._moment(request, known)
        click_id = ids.uuid7(at)
        body = {
            "id": str(click_id),
            "ref": str(clicked.ref),
            "contact": str(clicked.contact_id),
            "url": target,
        }
        await self._note("click", body, at, request, is_replay)
        if clicked.contact_id != tokens.NOBODY and origin_of(target) in known.origins:
            target = _with_landing(target, tokens.sign_landing(click_id, at, clicked))
        return Answer(302, headers=(("location", target),))

    async def _restore(self, rest: str, request: Request, known: Known) -> Answer:
        self._admit(request, known)
        restored = tokens.read_restore(rest)
        lines = await self._shop.cart(restored.cart_id, restored.contact_id) if restored else []
        if not lines:
            raise Refuse(404, "token")
        if lines[0][0] == "bought":
            return Answer(410, b'{"items":[]}', "application/json")
        items = [
            {"product_id": external_id, "name": name, "url": url, "image": image, "quantity": float(quantity)}
            | ({"price": str(price)} if price is not None else {})
            for _, _, _, external_id, name, url, image, price, quantity in lines
            if name is not None
        ]
        told = {"cart_token": lines[0][2], "currency": lines[0][1], "items": items}
        return Answer(200, json.dumps(told, ensure_ascii=False).encode(), "application/json")

    async def _give_script(self, rest: str, request: Request, known: Known) -> Answer:
        return self._script.answer(request)

    def _admit(self, request: Request, known: Known) -> bool:
        """Whether this is a replay of ours; everybody else needs a token of their bucket."""
        if (key := request.headers.get("x-rekindle-replay")) and is_server_key(known, key):
            return True
        if not self._buckets.take(request.address, monotonic()):
            raise Refuse(429, "rate")
        return False

    def _moment(self, request: Request, known: Known) -> tuple[datetime, bool]:
        """When an open or click came, to the millisecond: a token that names it can carry no more."""
        is_replay = self._admit(request, known)
        at = (_told_instant(request) if is_replay else None) or clock.now()
        return at.replace(microsecond=at.microsecond // 1000 * 1000), is_replay

    async def _note(self, source: str, body: dict, at: datetime, request: Request, is_replay: bool) -> None:
        """Keep an open or click. Whoever reads a message gets its picture or page, also when we cannot
        write.
        """
        body |= {
            "m": request.method,
            "h": {name: request.headers.get(name, "")[:100] for name in _REMEMBERED},
        }
        if is_replay:
            body["replay"] = True
        row = Row(
            source=source, received_at=at, body=json.dumps(body).replace("\\u0000", ""), **_sender(request)
        )
        try:
            await self._write([row])
        except (Busy, Unavailable):
            self._refusals.count(source, "unavailable")

    async def _write(self, rows: list[Row]) -> None:
        try:
            await self._journal.write(rows)
        except Unwritable as error:
            logger.error("The database refused a row that had been read strictly: %s", error)
            self._refusals.count(rows[0].source, "bug")
            raise Refuse(400, "unwritable") from None


class _Script:
    """The script of the shop, read once, with its fingerprint and its compressed form."""

    def __init__(self) -> None:
        self._plain = SCRIPT.read_bytes() if SCRIPT.exists() else b""
        self._packed = gzip.compress(self._plain, 9)
        self._tag = f'"{hashlib.sha256(self._plain).hexdigest()[:16]}"'

    def answer(self, request: Request) -> Answer:
        headers: Headers = (
            ("cache-control", "public, max-age=600"),
            ("etag", self._tag),
            ("vary", "accept-encoding"),
            ("cross-origin-resource-policy", "cross-origin"),
        )
        if request.headers.get("if-none-match") == self._tag:
            return Answer(304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            packed = (*headers, ("content-encoding", "gzip"))
            return Answer(200, self._packed, "text/javascript; charset=utf-8", packed)
        return Answer(200, self._plain, "text/javascript; charset=utf-8", headers)


def _words(status: int, reason: str) -> Answer:
    return Answer(status, f"{reason}\n".encode(), "text/plain; charset=utf-8")


def _cors(request: Request, known: Known) -> Headers:
    """Only the shop's own origins may read our answers, and never with credentials."""
    if request.origin not in known.origins:
        return (("vary", "origin"),)
    return (("access-control-allow-origin", request.origin), ("vary", "origin"))


def _preflight(request: Request, known: Known) -> Answer:
    if request.origin not in known.origins:
        raise Refuse(403, "origin")
    return Answer(
        204,
        headers=(
            ("access-control-allow-methods", "GET, POST"),
            ("access-control-allow-headers", "content-type"),
            ("access-control-max-age", "86400"),
        ),
    )


def _sender(request: Request) -> Sender:
    return {
        "origin": request.origin.replace("\0", "")[:200],
        "ip_truncated": limits.network(request.address),
        "user_agent": request.user_agent,
    }


def _told_instant(request: Request) -> datetime | None:
    """The moved clock of a replay."""
    told = request.headers.get("x-rekindle-at", "")
    try:
        return messages.as_instant(messages.as_millis(int(told[:15]), "at")) if told.isdecimal() else None
    except messages.Refused:
        return None


def _with_landing(target: str, token: str) -> str:
    parts = urlsplit(target)
    query = f"{parts.query}&rk={token}" if parts.query else f"rk={token}"
    return urlunsplit(parts._replace(query=query))


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
