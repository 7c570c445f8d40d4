"""The raw files, read for the judge alone: what people bought and did. Knows nothing of the program."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from config.simulate.plays.notes import Notes, Recorded


def read_clickstream(path: Path, people: int | None, notes: Notes) -> Recorded:
    """The raw clickstream, of the first so many people."""
    known: dict[str, None] = {}
    bought, did = [], []
    with path.open(newline="") as file:
        for person, item, _category, act, at in csv.reader(file):
            if person not in known:
                if people is not None and len(known) == people:
                    continue
                known[person] = None
            if act == "buy":
                bought.append((person, int(at), (item,)))
            else:
                did.append((person, int(at), act, item))
    return Recorded.of(bought, did)


def read_retail(path: Path, people: int | None, notes: Notes) -> Recorded:
    """The raw invoices that are no cancellations. The file has no visits: those are the stage's own."""
    london = ZoneInfo("Europe/London")
    orders: dict[tuple[str, int], list[str]] = defaultdict(list)
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if row["CustomerID"] and not row["InvoiceNo"].startswith("C") and float(row["UnitPrice"]) > 0:
                at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=london)
                orders[row["CustomerID"].partition(".")[0], int(at.timestamp())].append(row["StockCode"])
    return Recorded.of([(person, at, tuple(items)) for (person, at), items in orders.items()], notes.visited)


READERS = {"taobao": read_clickstream, "retail": read_retail}
