"""What the collector must know of the shop, asked of the database every few seconds and remembered in
between.
"""

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg_pool import AsyncConnectionPool

REFRESH_SECONDS = 3
MOST_LINKS = 20_000

_CART = """
SELECT cart.state, cart.currency, cart.token,
    line.external_id, line.name, line.url, line.image_url,
line.price, line.quantity
FROM tracking_cart cart
LEFT JOIN tracking_cartline line ON line.cart_id = cart.id AND line.contact_id = cart.contact_id
WHERE cart.id = %s AND cart.contact_id = %s
ORDER BY line.position, line.id
"""


@dataclass(frozen=True, slots=True)
class Known:
    ingest_key: str = ""
    origins: frozenset[str] = frozenset()
    server_keys: tuple[bytes, ...] = field(default=())


class Shop:
    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._known = Known()
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._links: OrderedDict[int, str] = OrderedDict()

    async def known(self) -> Known:
        """As of the last few seconds; while the database is away, as it was known last."""
        if self._is_stale():
            async with self._asking:
                if self._is_stale():
                    await self._ask()
        return self._known

    async def link(self, link_id: int) -> str | None:
        """The stored target of a link. A link never changes, so it is asked for once."""
        if link_id in self._links:
            self._links.move_to_end(link_id)
            return self._links[link_id]
        rows = await self._rows("SELECT url FROM tracking_link WHERE id = %s", (link_id,))
        if not rows:
            return None
        self._links[link_id] = rows[0][0]
        if len(self._links) > MOST_LINKS:
            self._links.popitem(last=False)
        return rows[0][0]

    async def cart(self, cart_id: Any, contact_id: Any) -> list[tuple]:
        return await self._rows(_CART, (cart_id, contact_id))

    def _is_stale(self) -> bool:
        return not self._known.ingest_key or monotonic() - self._asked_at > REFRESH_SECONDS

    async def _ask(self) -> None:
        try:
            shops = await self._rows(
                "SELECT ingest_key, allowed_origins FROM crm_shopsettings WHERE id = 1", ()
            )
            keys = await self._rows("SELECT sha256 FROM crm_serverkey WHERE revoked_at IS NULL", ())
        except (psycopg.Error, OSError):
            if not self._known.ingest_key:
                raise
        else:
            key, origins = shops[0] if shops else ("", [])
            self._known = Known(
                key, frozenset(map(origin_of, origins)) - {""}, tuple(bytes(row[0]) for row in keys)
            )
        self._asked_at = monotonic()

    async def _rows(self, query: str, values: tuple) -> list[tuple]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(query, values)).fetchall()


def origin_of(url: str) -> str:
    """Scheme, host and port as a browser writes them in Origin; nothing where there is none."""
    try:
        parts = urlsplit(url.strip().lower())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return ""
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = "" if parts.port in (None, usual) else f":{parts.port}"
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}{port}"


def is_server_key(known: Known, key: str) -> bool:
    digest = hashlib.sha256(key.encode()).digest()
    return any(hmac.compare_digest(digest, stored) for stored in known.server_keys)
