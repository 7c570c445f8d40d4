"""recommend_seconds, recommend_peak_mb, recommend_growth, recommend_batch_ms: what goes with what.

    python -m benchmarks.recommendations [--orders 1500000]

Ten thousand products in 200 categories, orders of a year with one to five lines, four looks for each order;
a few people buy very often and most hardly ever, a few products sell and most hardly ever. A hundredth and a
tenth of the orders show how the cost grows. Seconds are of processor, the server's and ours: they hardly
change when something else runs. Memory is what the server's processes and this one took beyond what they had
before: shared buffers, which are set once, do not count.
"""

from __future__ import annotations

import argparse
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import log10
from statistics import median
from threading import Event, Thread
from time import perf_counter
from typing import Any

from benchmarks import effort, ground, results
from benchmarks.crowd import NOW
from benchmarks.seeding import told, without_indexes

PRODUCTS, CATEGORIES = 10_000, 200
BATCH, ROUNDS = 200, 5

_KEY = "('{0:08x}-0000-7000-8000-' || lpad(to_hex({1}), 12, '0'))::uuid"


def _key(kind: int, number: str) -> str:
    return _KEY.format(kind, number)


# Whom an order is of: half of all are by the busiest tenth. What it holds: somebody's own few categories,
# and in each category mostly the same few products.
_SOMEBODY = "floor(random() ^ 2.2 * {people})::int"
_EACH = PRODUCTS // CATEGORIES
_SOMETHING = f"""mod(who.person * 7 + floor(random() ^ 2 * 6)::int * 31, {CATEGORIES}) * {_EACH}
    + floor(random() ^ 2 * {_EACH})::int"""
_FILL = f"""
SET session_replication_role = replica;
SET synchronous_commit = off;
SELECT setseed(0.5);
INSERT INTO crm_product (id, source, external_id, sku, name, description, url, image_url, price, currency,
    brand, category, consumable, is_active, created_at, updated_at)
SELECT {_key(1, "n")}, 'script', 'p' || n, '', 'Product ' || n, '', 'https://shop.test/p/' || n, '', 10,
    'EUR', 'Brand ' || mod(n, 40), 'Category ' || n / {_EACH}, mod(n, 9) = 0, TRUE,
    %(now)s - interval '2 years', %(now)s
FROM generate_series(0, {PRODUCTS - 1}) AS n;
INSERT INTO crm_contact (id, first_name, last_name, email, phone, language, country, time_zone, tags, fields,
    source, is_test, created_at, recorded_at, updated_at)
SELECT {_key(2, "n")}, 'P', '', '', '', '', '', '', '[]', '{{{{}}}}', 'script', FALSE,
    %(now)s, %(now)s, %(now)s
FROM generate_series(0, {{people}} - 1) AS n;
CREATE TEMPORARY TABLE who AS
SELECT n, {_SOMEBODY} AS person, %(now)s - n * interval '364 days' / {{orders}} - interval '1 minute' AS at
FROM generate_series(1, {{orders}}) AS n;
INSERT INTO crm_order (id, occurred_at, recorded_at, is_backfill, contact_id, source, external_id, number,
    status, channel, currency, total, subtotal, discount, shipping, tax, refunded, coupon_code, cart_token,
    checkout_id, source_at)
SELECT {_key(3, "n")}, at, at, FALSE, {_key(2, "person")}, 'script', 'o' || n, '', 'paid', 'web', 'EUR', 10,
    10, 0, 0, 0, 0, '', '', '', at
FROM who;
INSERT INTO crm_orderline (id, contact_id, order_id, product_id, sku, name, quantity, unit_price, occurred_at)
SELECT {_key(4, "row_number() OVER ()")}, contact_id, order_id, product_id, '', '', 1, 10, at FROM (
    SELECT {_key(2, "person")} AS contact_id, {_key(3, "n")} AS order_id,
        ('00000001-0000-7000-8000-' || lpad(to_hex({_SOMETHING}), 12, '0'))::uuid AS product_id, at
    FROM who CROSS JOIN LATERAL generate_series(1, 1 + mod(n::bigint * 7919, 5)) AS line
) AS lines;
INSERT INTO tracking_dailycount (id, contact_id, on_day, kind, product_id, category, brand, number)
SELECT gen_random_uuid(), {_key(2, "person")}, (at AT TIME ZONE 'UTC')::date - mod(look, 3), 'product',
    ('00000001-0000-7000-8000-' || lpad(to_hex({_SOMETHING}), 12, '0'))::uuid, '', '', 1
FROM who CROSS JOIN generate_series(1, 4) AS look
ON CONFLICT DO NOTHING;
INSERT INTO crm_bought (id, contact_id, product_id, orders, quantity, first_at, last_at)
SELECT gen_random_uuid(), contact_id, product_id, count(DISTINCT order_id), sum(quantity), min(occurred_at),
    max(occurred_at) FROM crm_orderline GROUP BY contact_id, product_id;
SET session_replication_role = origin;
RESET synchronous_commit;
ANALYZE crm_product, crm_contact, crm_order, crm_orderline, crm_bought, tracking_dailycount;
"""


FILLED = ("crm_contact", "crm_order", "crm_orderline", "crm_bought", "tracking_dailycount")


def fill(orders: int, address: str) -> None:
    """A shop with so many orders, in an empty database."""
    from django.db import connection

    with without_indexes(address, FILLED), connection.cursor() as cursor:
        for statement in _FILL.format(people=orders * 2 // 3, orders=orders).split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"now": NOW} if "%(now)s" in statement else None)


@contextmanager
def memory() -> Iterator[list[float]]:
    """What is taken at the peak beyond what was there before, in MB: by the server's processes and ours."""
    from django.db import connection

    connection.ensure_connection()
    server = _parent(connection.connection.info.backend_pid)
    peak: list[float] = []
    before, done = _private(server), Event()
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    highest = 0.0

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.05):
            highest = max(highest, _private(server) - before)

    thread = Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()
        peak.append(highest + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - ours)


def _parent(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("PPid:"))


def _private(server: int) -> float:
    """Private memory of every process of this server, in MB."""
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/status") as status:
                    told = dict(line.split(":", 1) for line in status)
            except OSError:
                continue
            if int(told["PPid"]) == server and "RssAnon" in told:
                total += int(told["RssAnon"].split()[0])
    return total / 1024


def batch_ms() -> float:
    """Every sort for a batch of people who bought: the median of some rounds, milliseconds of processor."""
    from campaigns.messages import recommend
    from campaigns.messages.recommend import SORTS, Wanted
    from crm.models import Order

    people = Order.objects.order_by("-occurred_at").values_list("contact_id", flat=True)
    taken = []
    for number in range(ROUNDS + 1):
        some = people[number * BATCH : (number + 1) * BATCH]
        wanted = [Wanted(key, contact_id) for key, contact_id in enumerate(some)]
        found, cost = effort.of(partial(recommend.picks, wanted, SORTS, NOW))
        taken.append(cost.cpu * 1000)
        if not all(len(picks) == recommend.MOST for one in found.values() for picks in one.values()):
            raise RuntimeError("somebody was shown too little")
    return median(taken[1:])


def measure(orders: int) -> dict[str, Any]:
    began = perf_counter()
    with ground.ground() as environment:
        from campaigns.messages import recommending

        fill(orders, environment["DATABASE_URL"])
        told(began, f"{orders:,} orders made up")
        seconds, clock, peaks = [], [], []
        for _again in range(2):  # the second replaces the first
            with memory() as peak:
                run, cost = effort.of(lambda: recommending.compute(NOW))
            assert run
            seconds.append(cost.cpu)
            clock.append(cost.wall)
            peaks += peak
        batch = batch_ms()
    print(
        f"{orders:,} orders: {seconds[0]:.1f} s, again {seconds[1]:.1f} s of processor"
        f" ({clock[0]:.1f} and {clock[1]:.1f} on the clock); {max(peaks):.0f} MB;"
        f" {run.links:,} links of {run.products:,} products; {BATCH} people, every sort: {batch:.0f} ms",
        flush=True,
    )
    return {"seconds": max(seconds), "peak": max(peaks), "batch": batch}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_500_000)
    whole = parser.parse_args().orders
    few, some, many = (measure(whole // share) for share in (100, 10, 1))
    growth = log10(many["seconds"] / some["seconds"])
    first = log10(some["seconds"] / few["seconds"])
    print(f"growth by orders: {first:.2f}, then {growth:.2f} (1 is in proportion)")
    seconds, peak, batch = many["seconds"], many["peak"], many["batch"]
    results.note("recommend_seconds", seconds, better="lower", floor=180, moonshot=60, n=whole, digits=1)
    results.note("recommend_peak_mb", peak, better="lower", floor=768, moonshot=256, n=whole, digits=0)
    results.note("recommend_growth", growth, better="lower", floor=1.15, moonshot=1.0, n=whole)
    results.note("recommend_batch_ms", batch, better="lower", floor=400, moonshot=100, n=BATCH, digits=0)


if __name__ == "__main__":
    main()
