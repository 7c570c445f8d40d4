"""Fills the product's own tables by COPY: a million people, ten million events, in minutes.

    python -m benchmarks.seeding [--contacts 1000000]

Events grow with the people (ten each), and so do orders (three for two) and lines (two an order). What is
derived (engagement, counts a day, visits) is derived as the product derives it. The database is kept and
used again until its size, the tables or this generator change.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import batched
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import psycopg

from benchmarks import agreed, crowd
from benchmarks.crowd import Size

PARTS = 6
# Foreign keys are not looked up one by one (the generator is consistent; a test looks), nothing waits for the
# disk, and there is room to sort.
LOADING = (
    "session_replication_role = replica",
    "synchronous_commit = off",
    "maintenance_work_mem = '512MB'",
    "work_mem = '256MB'",
)
FILLED = {
    "crm_product": "id source external_id sku name description url image_url price list_price currency brand"
    " category consumable is_active created_at updated_at",
    "crm_contact": "id first_name last_name email phone language country time_zone tags fields source is_test"
    " created_at recorded_at updated_at",
    "crm_contactpoint": "id contact_id channel address address_hash hash_key_id status is_primary created_at",
    "crm_consentevent": "id address_hash position channel purpose_id action legal_basis source_kind"
    " occurred_at recorded_at is_backfill detail_digest prev_sha256 row_sha256",
    "crm_consentstate": "id address_hash channel purpose_id may_send status since last_event_id",
    "crm_suppression": "id address_hash hash_key_id channel purpose_id reason since source_event_id",
    "crm_order": "id occurred_at recorded_at is_backfill contact_id source external_id number status channel"
    " currency total subtotal discount shipping tax refunded coupon_code cart_token checkout_id source_at",
    "crm_orderline": "id contact_id order_id product_id sku name quantity unit_price list_price occurred_at",
    "tracking_event": "id occurred_at recorded_at is_backfill contact_id visitor_id kind url product_id ref"
    " actor props",
}


def fill(size: Size, address: str) -> None:
    """Everything into an empty, migrated database. Django is set up on it."""
    began = perf_counter()
    with psycopg.connect(address, autocommit=True) as connection:
        for month in range(14):
            day = (crowd.NOW - timedelta(days=30 * month)).date()
            connection.execute("SELECT tracking_make_partition(%s)", [day])
    with without_indexes(address, [table for table in FILLED if table != "crm_product"]):
        told(began, "indexes laid aside")
        jobs = [(copy_people, ()), *((copy_events, (part,)) for part in range(PARTS)), (copy_orders, ())]
        with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
            for job in [pool.submit(work, size, address, *given) for work, given in jobs]:
                job.result()
        told(began, "copied")
    told(began, "indexes made again")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    told(began, f"{size.contacts} contacts copied")


def told(began: float, what: str) -> None:
    print(f"  {perf_counter() - began:6.1f} s  {what}", flush=True)


@contextmanager
def loading(address: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(address) as connection:
        for setting in LOADING:
            connection.execute(f"SET {setting}")
        yield connection


@contextmanager
def without_indexes(address: str, tables: Sequence[str]) -> Iterator[None]:
    """As a restore does it: indexes that no constraint needs are made when the rows are there."""
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " JOIN pg_class t ON t.oid = i.indrelid"
            " WHERE t.relname = ANY(%s)"
            " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)",
            [list(tables)],
        ).fetchall()
        for name, _ in found:
            connection.execute(f"DROP INDEX {name}")
    yield
    with loading(address) as connection:
        for _, definition in found:
            connection.execute(definition.replace(" ON ONLY ", " ON "))


def copy(connection: psycopg.Connection, table: str, lines: Iterable[str]) -> None:
    columns = ", ".join(FILLED[table].split())
    with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as into:
        for some in batched(lines, 5000):
            into.write("".join(some))


def copy_people(size: Size, address: str) -> None:
    with loading(address) as connection:
        copy(connection, "crm_product", crowd.products())
        copy(connection, "crm_contact", crowd.contacts(size))
        purpose = connection.execute("SELECT id FROM crm_purpose WHERE key = %s", [agreed.PURPOSE]).fetchone()
        assert purpose
        for table, lines in agreed.tables(size, purpose[0]):
            copy(connection, table, lines)


def copy_orders(size: Size, address: str) -> None:
    with loading(address) as connection:
        for some in batched(crowd.orders(size), 20_000):
            copy(connection, "crm_order", (order for order, _ in some))
            copy(connection, "crm_orderline", (line for _, lines in some for line in lines))


def copy_events(size: Size, address: str, part: int) -> None:
    with loading(address) as connection:
        copy(connection, "tracking_event", crowd.events(size, part, PARTS))


def mark() -> str:
    """Changes when what is generated does, or the columns it goes into."""
    told = hashlib.sha256(repr(FILLED).encode())
    for generator in (agreed, crowd):
        told.update(Path(generator.__file__).read_bytes())
    return told.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    from benchmarks import ground

    with ground.servers() as services:
        ground.seeded(services, parser.parse_args().contacts)


if __name__ == "__main__":
    main()
