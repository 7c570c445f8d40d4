"""Invoices of a real shop (UCI Online Retail): orders, cancellations, and the prices of each day."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from config.simulate.clickstream import Act, Purchase, email
from config.simulate.plays.notes import share
from config.simulate.plays.shelf import DAY, HOUR, Change, Shelf, sold_out

LONDON = ZoneInfo("Europe/London")
MOST_SEEN = 4


@dataclass
class Invoice:
    """One invoice; `person` is blank for a guest, a cancelled one takes goods back."""

    number: str
    person: str
    at: int
    lines: list[tuple[str, str, int, Decimal]] = field(default_factory=list)

    @property
    def takes_back(self) -> bool:
        return self.number.startswith("C")

    @property
    def items(self) -> list[str]:
        return list(dict.fromkeys(code for code, *_ in self.lines))

    @property
    def total(self) -> Decimal:
        return sum((abs(number) * price for _, _, number, price in self.lines), Decimal(0))


def read(path: Path, people: int | None = None) -> list[Invoice]:
    """The invoices of the first so many people of the file, and of its guests, in order."""
    known: dict[str, None] = {}
    found: dict[str, Invoice] = {}
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            person = row["CustomerID"].partition(".")[0]
            if people is not None and person not in known:
                if not person or len(known) == people:
                    continue
                known[person] = None
            price, number = Decimal(row["UnitPrice"]), int(row["Quantity"])
            if price <= 0 or (number <= 0) != row["InvoiceNo"].startswith("C"):
                continue
            local = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=LONDON)
            invoice = found.setdefault(
                row["InvoiceNo"], Invoice(row["InvoiceNo"], person, int(local.timestamp()))
            )
            invoice.lines.append((row["StockCode"], row["Description"].strip(), number, price))
    return sorted(found.values(), key=lambda invoice: (invoice.at, invoice.number))


def names(invoices: list[Invoice]) -> dict[str, str]:
    """What each product is called, with its code."""
    return {code: f"{words or 'Goods'} [{code}]" for one in invoices for code, words, *_ in one.lines}


def shelf(invoices: list[Invoice]) -> Shelf:
    """The price of a day is what most lines of that day paid; goods run out as they do everywhere."""
    paid: dict[str, dict[int, Counter[Decimal]]] = defaultdict(lambda: defaultdict(Counter))
    for invoice in invoices:
        for code, _, _, price in invoice.lines if not invoice.takes_back else ():
            paid[code][invoice.at // DAY * DAY][price] += 1
    changes = []
    for code, days in paid.items():
        before = None
        for day in sorted(days):
            price = days[day].most_common(1)[0][0]
            if price != before:
                changes.append(Change(day + 6 * HOUR, code, price=price))
            before = price
    since, until = invoices[0].at + 14 * DAY, invoices[-1].at
    return Shelf([*changes, *sold_out(sorted(paid), since, until)])


def visits(invoices: list[Invoice]) -> list[Act]:
    """Half an hour before each order some of it is looked at; before every third, one to three days earlier,
    too; before every fourth it stands in a cart over night.
    """
    acts = []
    for one in invoices:
        if not one.person or one.takes_back:
            continue
        seen = one.items[:MOST_SEEN]
        acts += [Act(one.person, item, "", "pv", one.at - 1800 + 40 * n) for n, item in enumerate(seen)]
        if share("earlier", one.number) < 1 / 3:
            at = one.at - int((1 + 2 * share("days", one.number)) * DAY)
            acts += [Act(one.person, item, "", "pv", at + 50 * n) for n, item in enumerate(seen)]
        if share("cart", one.number) < 1 / 4:
            at = one.at - int((14 + 10 * share("hours", one.number)) * HOUR)
            acts += [Act(one.person, item, "", "cart", at + 30 * n) for n, item in enumerate(seen)]
    return sorted(acts, key=lambda act: (act.at, act.person))


def orders(invoices: list[Invoice]) -> list[Purchase]:
    """Each invoice as the shop's server tells of it. What a cancelled one takes back is refunded on the last
    order of its person that had such goods.
    """
    told: list[Purchase] = []
    latest: dict[tuple[str, str], Purchase] = {}
    refunded: dict[str, Decimal] = defaultdict(Decimal)
    for one in invoices:
        if not one.takes_back:
            order = Purchase(one.person, one.at, _body(one))
            told.append(order)
            latest |= {(one.person, item): order for item in one.items if one.person}
            continue
        before = next((latest[one.person, item] for item in one.items if (one.person, item) in latest), None)
        if before is None:
            continue
        total = Decimal(before.body["total"])
        refunded[before.body["id"]] += one.total
        back = min(refunded[before.body["id"]], total)
        status = "refunded" if back >= total * Decimal("0.9") else "paid"
        told.append(
            Purchase(
                "", one.at, before.body | {"refunded": str(back), "status": status, "updated_at": _at(one.at)}
            )
        )
    return told


def _body(one: Invoice) -> dict[str, object]:
    customer = {"customer": {"id": one.person, "email": email(one.person)}} if one.person else {}
    return {
        "id": one.number,
        "number": one.number,
        "placed_at": _at(one.at),
        "updated_at": _at(one.at),
        "status": "paid",
        "currency": "GBP",
        "total": str(one.total),
        "lines": [
            {
                "product_id": code,
                "name": f"{words or 'Goods'} [{code}]",
                "quantity": number,
                "unit_price": str(price),
            }
            for code, words, number, price in one.lines
        ][:1000],
        **customer,
    }


def _at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()
