"""A real shop's half year of prices and orders as plain Python, and what an offer may be by the rules as they
are written for marketers. Shares no code with the product.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

HUNDRED = Decimal(100)
LIST_DAYS = 60


@dataclass(frozen=True)
class Line:
    code: str
    name: str
    quantity: int
    at: datetime
    price: Decimal


@dataclass(frozen=True)
class Deal:
    """An offer, of the site or of our messages, as a marketer would describe it."""

    name: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    group: str = ""
    codes: frozenset[str] = frozenset()
    minimum: Decimal = Decimal(0)
    may_beat_site: bool = False
    begins: date = date.min
    ends: date = date.max

    def on(self, code: str) -> bool:
        return code in self.codes if self.codes else code.startswith(self.group)


@dataclass
class Ledger:
    """What was bought, what the site asked for each thing from which day on, and what each thing costs."""

    orders: dict[str, dict[str, list[Line]]] = field(default_factory=lambda: defaultdict(dict))
    asked: dict[str, dict[date, tuple[Decimal, Decimal]]] = field(default_factory=lambda: defaultdict(dict))

    def price(self, code: str, day: date) -> tuple[Decimal, Decimal] | None:
        """Price and list price on a day."""
        days = [one for one in self.asked[code] if one <= day]
        return self.asked[code][max(days)] if days else None


def cost_of(code: str, first: Decimal) -> Decimal | None:
    """Invented, always the same: a third of the catalogue has no known cost, the rest 30 to 95 % of it."""
    number = int.from_bytes(hashlib.sha256(code.encode()).digest()[:4], "big")
    return None if number % 3 == 0 else (first * (30 + number % 66) / HUNDRED).quantize(Decimal("0.01"))


def read(path: Path, share: int) -> Ledger:
    """The orders of one customer in `share`, and what everybody's orders say of prices.

    The site's price of a day is the highest anybody paid for one, since larger quantities cost less; its list
    price is the highest of the last sixty days.
    """
    ledger = Ledger()
    highest: dict[str, dict[date, Decimal]] = defaultdict(dict)
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            price, number = Decimal(row["UnitPrice"]), int(row["Quantity"])
            if price <= 0 or number <= 0 or row["InvoiceNo"].startswith("C"):
                continue
            at = datetime.fromisoformat(row["InvoiceDate"])
            code = row["StockCode"]
            day = highest[code]
            day[at.date()] = max(day.get(at.date(), price), price)
            who = row["CustomerID"].removesuffix(".0")
            if who and int(who) % share == 0:
                line = Line(code, row["Description"] or code, number, at, price)
                ledger.orders[who].setdefault(row["InvoiceNo"], []).append(line)
    wanted = {
        line.code for invoices in ledger.orders.values() for lines in invoices.values() for line in lines
    }
    for code in wanted:
        before = None
        for day in sorted(highest[code]):
            since = day - timedelta(days=LIST_DAYS)
            top = max(price for other, price in highest[code].items() if since < other <= day)
            if (highest[code][day], top) != before:
                before = ledger.asked[code][day] = (highest[code][day], top)
    return ledger


def just_bought(ledger: Ledger, who: str, deal: Deal, now: datetime, days: int) -> bool:
    """Whether they bought something the deal is on at full price within so many days."""
    for lines in ledger.orders[who].values():
        for line in lines:
            if not now - timedelta(days=days) < line.at <= now or not deal.on(line.code):
                continue
            asked = ledger.price(line.code, line.at.date())
            if asked is None or line.price >= asked[1]:
                return True
    return False


def below_site(ledger: Ledger, deal: Deal, site: list[Deal], goods: list[Line], day: date) -> list[str]:
    """Goods for which the message promises a lower price than the site gives that day."""
    found = []
    for good in goods:
        asked = ledger.price(good.code, day)
        if asked is None or not deal.on(good.code):
            continue
        price = asked[0]
        worth = sum((ledger.price(one.code, day) or (Decimal(0),))[0] * one.quantity for one in goods)
        gives = [
            one.percent
            for one in site
            if one.percent and one.begins <= day < one.ends and one.on(good.code) and worth >= one.minimum
        ]
        on_site = price * (HUNDRED - max(gives, default=Decimal(0))) / HUNDRED
        promised = price * (HUNDRED - deal.percent) / HUNDRED if deal.percent else price - 1
        if promised < on_site:
            found.append(good.code)
    return found


def below_margin(
    ledger: Ledger, deal: Deal, goods: list[Line], day: date, floor: Decimal, deepest: Decimal
) -> list[str]:
    """Goods that the reduction leaves less margin on than the floor, or more than the deepest takes off."""
    covered = [(one, ledger.price(one.code, day)) for one in goods if deal.on(one.code)]
    known = [
        (one, asked[0], cost_of(one.code, first_price(ledger, one.code))) for one, asked in covered if asked
    ]
    if not known:
        return []
    if deal.percent:
        found = []
        for one, price, cost in known:
            after = price * (HUNDRED - deal.percent) / HUNDRED
            too_deep = deal.percent > deepest if cost is None else after - cost < after * floor / HUNDRED
            if too_deep:
                found.append(one.code)
        return found
    assert deal.amount is not None
    worth = sum(price * one.quantity for one, price, _ in known)
    if worth >= deal.minimum and all(cost is not None for _, _, cost in known):
        spent = sum((cost or 0) * one.quantity for one, _, cost in known)
        after = worth - deal.amount
        return ["all"] if after - spent < after * floor / HUNDRED or after <= 0 else []
    return ["all"] if deal.amount * HUNDRED / max(worth, deal.minimum) > deepest else []


def first_price(ledger: Ledger, code: str) -> Decimal:
    return ledger.asked[code][min(ledger.asked[code])][0]
