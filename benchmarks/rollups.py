"""rollup_upkeep: what keeping rollups up adds to reading raw rows, as time with them over time without.

`python -m benchmarks.rollups [rounds] [rows]`. Two crowds of known browsers do the same at the same time, one
counted and one not, in turns, in one database.
"""

import random  # noqa: TID251 - the same crowd in every run
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks import results
from benchmarks.ground import ground

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
BROWSERS = 3000
ROUND = timedelta(minutes=2)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140 Safari/537.36"
KINDS = ["page"] * 50 + ["product"] * 38 + ["search"] * 6 + ["cart"] * 4 + ["favourite"] * 2
SHOP = "https://shop.example.com"


class Crowd:
    """Browsers of people we know, and what the next two minutes bring of them."""

    def __init__(self, seed: int) -> None:
        from crm.models import Contact
        from tracking.models import Visitor

        self.dice = random.Random(seed)
        people = Contact.objects.bulk_create([Contact(created_at=BEGIN) for _ in range(BROWSERS)])
        self.browsers = [
            browser.id
            for browser in Visitor.objects.bulk_create(
                [
                    Visitor(id=uuid.uuid4(), contact=person, trust="signed", first_seen_at=BEGIN)
                    for person in people
                ]
            )
        ]

    def come(self, since: datetime, number: int) -> None:
        """Lay raw rows of as many acts, as the collector would."""
        from tracking.models import InboundEvent

        rows = []
        for _ in range(number):
            at = since + self.dice.random() * ROUND
            rows.append(InboundEvent(source="collect", received_at=at, user_agent=AGENT, body=self._said(at)))
        InboundEvent.objects.bulk_create(rows)

    def _said(self, at: datetime) -> dict[str, Any]:
        kind, number = self.dice.choice(KINDS), int(self.dice.random() ** 2.5 * 400)
        details: dict[str, Any] = {}
        if kind in ("product", "favourite"):
            details = {"product_id": f"p{number}", "name": f"Product {number}", "price": "19.90"}
            details |= {"category": f"Category {number % 30}", "brand": f"Maker {number % 12}"}
        elif kind == "search":
            details = {"query": f"lamp {number}"}
        elif kind == "cart":
            line = {
                "product_id": f"p{number}",
                "quantity": "1",
                "price": "19.90",
                "name": f"Product {number}",
            }
            details = {"token": f"c{number}", "lines": [line]}
        millis = int(at.timestamp() * 1000)
        act = {"id": str(uuid.uuid4()), "t": kind, "at": millis, "url": f"{SHOP}/{number}", "p": details}
        visitor = str(self.dice.choice(self.browsers))
        return {"v": visitor, "b": "", "s": millis, "e": [act]}


@contextmanager
def uncounted() -> Iterator[None]:
    from tracking.visits import rollups

    count = rollups.count
    rollups.count = lambda stored: None
    try:
        yield
    finally:
        rollups.count = count


def seconds(now: datetime, number: int) -> float:
    """Of reading what waits."""
    from tracking.visits import ingest

    began, read = perf_counter(), 0
    while done := ingest.apply(now):
        read += done
    assert read == number
    return perf_counter() - began


def main(rounds: int = 12, rows: int = 2000) -> None:
    with ground():
        from django.db import connection

        from tracking.models import DailyCount, InboundEvent, Visit

        counted, other = Crowd(1), Crowd(2)
        with connection.cursor() as cursor:
            cursor.execute("SELECT tracking_make_partition(%s)", [BEGIN.date()])
        ours, bare = [], []
        for number in range(rounds):
            since = BEGIN + number * ROUND
            # Who goes first changes: the second finds what both read in the cache.
            for is_counted in (True, False) if number % 2 else (False, True):
                (counted if is_counted else other).come(since, rows)
                if is_counted:
                    ours.append(seconds(since + ROUND, rows))
                else:
                    with uncounted():
                        bare.append(seconds(since + ROUND, rows))
        assert not InboundEvent.objects.exclude(state="applied").exists()
        kept = f"{DailyCount.objects.count()} counts, {Visit.objects.count()} visits"
    ratio = median(one / two for one, two in zip(ours, bare, strict=True))
    results.note("rollup_upkeep", ratio, better="lower", floor=1.5, moonshot=1.2, n=rounds * rows)
    fast, slow = (rows / median(times) for times in (bare, ours))
    print(f"{slow:.0f} rows/s with rollups, {fast:.0f} rows/s without; {kept}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
