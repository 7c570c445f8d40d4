"""Counts of what was refused, by door and reason: kept in memory for a second, then added to the day's
rows.
"""

import asyncio
from collections import Counter
from datetime import date

import psycopg
from psycopg_pool import AsyncConnectionPool

from crm.kernel import clock

EVERY_SECONDS = 1

_ADD = """
INSERT INTO tracking_refusal AS stored (on_day, door, reason, count) VALUES (%s, %s, %s, %s)
ON CONFLICT (on_day, door, reason) DO UPDATE SET count = stored.count + excluded.count
"""


class Refusals:
    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._counts: Counter[tuple[date, str, str]] = Counter()
        self._task: asyncio.Task | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()

    def count(self, door: str, reason: str, number: int = 1) -> None:
        self._counts[clock.now().date(), door[:20], reason[:60]] += number

    async def flush(self) -> None:
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            async with (
                self._pool.connection() as connection,
                connection.transaction(),
                connection.cursor() as cursor,
            ):
                # In one order, so that two processes never wait for each other.
                await cursor.executemany(_ADD, [(*key, number) for key, number in sorted(counts.items())])
        except (psycopg.Error, OSError):
            self._counts.update(counts)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.flush()
