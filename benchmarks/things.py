"""import_products_rate, import_orders_rate, import_things_peak_mb: products and orders by spreadsheet.

    python -m benchmarks.things [--rows 100000]

A CSV file of products, every tenth row a variant of the one above it, into an empty catalogue; then one of
order lines, three an order, of people nobody knows, into a shop that has these products. Rows a second are of
processor time, the dry run and the import together. The peak is what the import adds to a process in which
Django and all apps are loaded, and the whole of the process that reads: the larger of the two files.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import results
from benchmarks.ground import ground
from benchmarks.importing import in_a_process

PRODUCTS = ["Handle", "Title", "Vendor", "Type", "Variant SKU", "Variant Inventory Qty", "Variant Price"]
ORDERS = ["Name", "Email", "Financial Status", "Currency", "Total", "Created at", "Lineitem quantity"]
ORDERS += ["Lineitem name", "Lineitem price", "Lineitem sku"]
FIRST = datetime(2024, 1, 1, 8)


def products(rows: int) -> Iterator[list[str]]:
    yield PRODUCTS
    for number in range(rows):
        if number % 10 == 9:
            yield [f"thing-{number - 1}", "", "", "", f"S-{number}", "3", "12.50"]
        else:
            maker, sort = f"Maker {number % 97}", f"Sort {number % 31}"
            yield [
                f"thing-{number}",
                f"Thing {number}",
                maker,
                sort,
                f"S-{number}",
                "5",
                f"{number % 400 + 1}.90",
            ]


def orders(rows: int) -> Iterator[list[str]]:
    yield ORDERS
    for number in range(rows):
        order, place = divmod(number, 3)
        line = ["1", f"Thing {number % 5000}", "10.00", f"S-{number % 5000}"]
        if place:
            yield [f"#{order}", *[""] * 5, *line]
        else:
            mail = f"p{order % (rows // 8 + 1)}@shop-customers.example"
            at = f"{FIRST + timedelta(minutes=7 * order):%Y-%m-%d %H:%M:%S} +0000"
            yield [f"#{order}", mail, "paid", "EUR", "30.00", at, *line]


FILES = {"crm.products": products, "crm.orders": orders}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=100_000)
    told = asked.parse_args()
    peaks = []
    with ground() as environment, TemporaryDirectory() as folder:
        for subject, rows in FILES.items():
            path = Path(folder) / f"{subject}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows(told.rows))
            here = in_a_process(path, subject, environment)
            peaks.append(here.peak)
            name, rate = f"import_{subject.removeprefix('crm.')}_rate", told.rows / here.whole.cpu
            print(f"{subject}: {told.rows:,} rows: {here}")
            results.note(name, rate, better="higher", floor=1_000, moonshot=5_000, n=told.rows, digits=0)
    results.note(
        "import_things_peak_mb", max(peaks), better="lower", floor=150, moonshot=80, n=told.rows, digits=0
    )


if __name__ == "__main__":
    main()
