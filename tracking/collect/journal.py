"""Group commit: requests that wait at the same moment are written by one COPY and answered after its
commit.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool

WAIT_SECONDS = 10
MOST_WAITING = 5_000
LARGEST_GROUP = 1_000


class Busy(Exception):
    """More waits than can be written soon: ask the sender to come back."""


class Unwritable(Exception):
    """The database refuses this row for what it holds: a fault of ours, since nothing unread should get
    here.
    """


class Unavailable(Exception):
    """The database does not answer."""


class Sender(TypedDict):
    """What is kept of who sent a request."""

    origin: str
    ip_truncated: str
    user_agent: str


class Row(NamedTuple):
    """One row of `InboundEvent`, in the order of its columns below."""

    source: str
    received_at: datetime
    body: str
    visitor_id: UUID | None = None
    has_order: bool = False
    cart_token: str = ""
    address_hash: bytes | None = None
    origin: str = ""
    ip_truncated: str = ""
    user_agent: str = ""
    sanitised: bool = False
    event_key: str = ""
    state: str = "new"
    error: str = ""


_COPY = f"COPY tracking_inboundevent ({', '.join(Row._fields)}) FROM STDIN"

Waiting = tuple[Sequence[Row], asyncio.Future]


class Journal:
    def __init__(self, pool: AsyncConnectionPool, lanes: int = 2) -> None:
        self._pool = pool
        self._lanes = lanes
        self._waiting: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._lanes)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def write(self, rows: Sequence[Row]) -> None:
        """Return once the rows are committed; they stand together or not at all."""
        if len(self._waiting) >= MOST_WAITING:
            raise Busy
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, future))
        self._wake.set()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await future
        except TimeoutError as error:
            raise Unavailable from error

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            group = self._take()
            if not self._waiting:
                self._wake.clear()
            if group:
                await self._settle(group)

    def _take(self) -> list[Waiting]:
        group: list[Waiting] = []
        while self._waiting and len(group) < LARGEST_GROUP:
            waiting = self._waiting.popleft()
            if not waiting[1].done():
                group.append(waiting)
        return group

    async def _settle(self, group: list[Waiting]) -> None:
        try:
            await self._copy([row for rows, _ in group for row in rows])
        except (psycopg.DataError, psycopg.IntegrityError, UnicodeError, ValueError) as error:
            if len(group) > 1:
                # One row spoils the whole COPY: alone, each request stands or falls for itself.
                for waiting in group:
                    await self._settle([waiting])
                return
            _finish(group, Unwritable(str(error)))
        except (psycopg.Error, OSError) as error:
            _finish(group, Unavailable(str(error)))
        except asyncio.CancelledError:
            _finish(group, Unavailable("stopping"))
            raise
        else:
            _finish(group, None)

    async def _copy(self, rows: Sequence[Row]) -> None:
        async with (
            self._pool.connection() as connection,
            connection.cursor() as cursor,
            cursor.copy(_COPY) as copy,
        ):
            for row in rows:
                await copy.write_row(row)


def _finish(group: list[Waiting], error: Exception | None) -> None:
    for _, future in group:
        if future.done():
            continue
        if error:
            future.set_exception(error)
        else:
            future.set_result(None)
