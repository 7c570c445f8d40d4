"""A shop's people and what they did, made up: the same for the same size, as lines for COPY.

A few are very active and most hardly ever come (u to the power of 2.5 over their rank); they browse in
visits with a favourite category each time; some are written to, open and click; two lines an order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random  # noqa: TID251 - seeded

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
"""The moment everything is asked at: nothing in the data is later."""

DAY = 86_400
CATEGORIES = 50
PRODUCTS = 2000
NAMES = ("Ana", "Boris", "Chen", "Dana", "Emeka", "Farah", "Goran", "Hanne", "Ivo", "Jun")
COUNTRIES = ("DE", "US", "FR", "GB", "IT", "NL", "PL", "ES")
SOURCES = ("script", "script", "import", "form")
PAGE = "https://shop.test/journal/how-to-choose"
_LINKS = (
    "",
    "",
    "",
    "",
    "?utm_source=newsletter&utm_medium=email&utm_campaign=autumn",
    "?gclid=x1",
    "?ref=home",
)

_TODAY = NOW.date()
_EPOCH = date(1970, 1, 1)
_CLOCK = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}+00" for s in range(DAY)]
_DAYS = [(_EPOCH + timedelta(days=n)).isoformat() for n in range((_TODAY - _EPOCH).days + 1)]
_SCATTER = 48_271  # Prime to every size we use: spreads the active ones over people of all ages.
END = int(NOW.timestamp())
_YEAR = 365 * DAY


@dataclass(frozen=True)
class Size:
    contacts: int

    @property
    def events(self) -> int:
        return self.contacts * 10

    @property
    def orders(self) -> int:
        return self.contacts * 3 // 2


def stamp(seconds: int) -> str:
    return f"{_DAYS[seconds // DAY]} {_CLOCK[seconds % DAY]}"


def contact_since(number: int, size: Size) -> int:
    """People joined one after the other over 1000 days."""
    return END - 1000 * DAY + number * (1000 * DAY - 3600) // size.contacts


def contact_id(number: int, size: Size) -> str:
    return f"{contact_since(number, size) * 1000:012x}70008{number:015x}"


def product_id(number: int) -> str:
    return f"{(END - 1200 * DAY) * 1000:012x}70018{number:015x}"


def address(number: int) -> str:
    return f"user{number}@people.test"


def category(number: int) -> str:
    return f"Category {number % CATEGORIES:02}"


def brand(number: int) -> str:
    return f"Brand {number % 37:02}"


def price(number: int) -> str:
    return f"{5 + number * 7 % 195}.90"


def products() -> Iterator[str]:
    since = stamp(END - 1200 * DAY)
    for n in range(PRODUCTS):
        yield (
            f"{product_id(n)}\tscript\tp{n}\tS{n:05}\tProduct {n}\t\thttps://shop.test/p/{n}\t\t{price(n)}\t"
            f"{price(n)}\tEUR\t{brand(n)}\t{category(n)}\tf\tt\t{since}\t{since}\n"
        )


def contacts(size: Size) -> Iterator[str]:
    random = Random(1).random
    for n in range(size.contacts):
        since = stamp(contact_since(n, size))
        first, country = NAMES[n % 10], COUNTRIES[int(random() * 8)]
        tags = '["vip"]' if random() < 0.03 else "[]"
        yield (
            f"{contact_id(n, size)}\t{first}\tPerson {n}\t{address(n)}\t\t\t{country}\t\t{tags}\t{{}}\t"
            f"{SOURCES[n % 4]}\tf\t{since}\t{since}\t{since}\n"
        )


def who(random: float, power: float, size: Size) -> int:
    return int(random**power * size.contacts) * _SCATTER % size.contacts


def orders(size: Size) -> Iterator[tuple[str, list[str]]]:
    """Orders of two years, the youngest last, each with its lines."""
    random = Random(2).random
    step = (2 * _YEAR - 3600) / size.orders
    for n in range(size.orders):
        seconds = END - 2 * _YEAR + int(n * step)
        person, at = contact_id(who(random(), 2.2, size), size), stamp(seconds)
        key = f"{seconds * 1000:012x}70028{n:015x}"
        lines, worth = [], 0.0
        for place in (0, 1):
            what, quantity = (
                int(random() ** 1.7 * CATEGORIES) + CATEGORIES * int(random() * 40),
                1 + int(random() * 3),
            )
            paid = float(price(what)) * (0.8 if random() < 0.15 else 1)
            worth += paid * quantity
            line = f"{seconds * 1000:012x}70038{n * 2 + place:015x}"
            goods = f"{product_id(what)}\tS{what:05}\tProduct {what}"
            lines.append(f"{line}\t{person}\t{key}\t{goods}\t{quantity}\t{paid:.2f}\t{price(what)}\t{at}\n")
        coupon, less = ("WELCOME10", worth * 0.1) if random() < 0.12 else ("", 0.0)
        luck, total = random(), f"{worth - less:.2f}"
        status = "cancelled" if luck < 0.03 else "refunded" if luck < 0.06 else "paid"
        shop = f"{person}\tscript\to{n}\t{n}\t{status}\t{'web' if random() < 0.9 else 'store'}\tEUR"
        money = f"{total}\t{worth:.2f}\t{less:.2f}\t0\t0\t{total if status == 'refunded' else 0}"
        yield f"{key}\t{at}\t{at}\tf\t{shop}\t{money}\t{coupon}\t\t\t{at}\n", lines


def events(size: Size, part: int, parts: int) -> Iterator[str]:
    """Events of one part of the year, nearly in the order of time: visits of one to seven acts, and opens
    and clicks of messages.
    """
    dice = Random(1000 * parts + part)
    random = dice.random
    tails = _tails()
    # Of ten moments four are visits of four acts on average, six are one act in a message.
    moments = size.events * 10 // 22
    step = (_YEAR - 3600) / moments
    favourite = contact_id(0, size)
    number = part << 40
    for moment in range(moments * part // parts, moments * (part + 1) // parts):
        seconds = END - _YEAR + int(moment * step)
        chosen = who(random(), 2.5, size)
        # One person, or a machine that took their name, did 1 % of all.
        person = favourite if random() < 0.006 else contact_id(chosen, size)
        luck = random()
        if luck < 0.4:
            visitor = f"{chosen:08x}000040008000000000000000"
            liked, arrival = int(random() ** 1.7 * CATEGORIES), _LINKS[int(random() * 7)]
            for _act in range(1 + int(random() * 7)):
                at, act = stamp(seconds), random()
                kind = (
                    "page" if act < 0.5 else "product" if act < 0.92 else "cart" if act < 0.96 else "search"
                )
                tail = (
                    tails[kind, liked + CATEGORIES * int(random() * 40)]
                    if kind == "product"
                    else tails[kind, 0]
                )
                number += 1
                yield (
                    f"{seconds * 1000:012x}70048{number:015x}\t{at}\t{at}\tf\t{person}\t{visitor}\t{kind}\t"
                    f"{tail[0]}{arrival}\t{tail[1]}\t\\N\thuman\t{tail[2]}\n"
                )
                seconds, arrival = seconds + 10 + int(random() * 200), ""
        else:
            at, kind = stamp(seconds), "open" if luck < 0.82 else "click"
            actor = random()
            by = "human" if actor < 0.6 else "proxy" if actor < 0.85 else "machine"
            number += 1
            yield (
                f"{seconds * 1000:012x}70048{number:015x}\t{at}\t{at}\tf\t{person}\t\\N\t{kind}\t\t\\N\t"
                f"{dice.getrandbits(128):032x}\t{by}\t{{}}\n"
            )


def _tails() -> dict[tuple[str, int], tuple[str, str, str]]:
    """Page, product and properties of an act, by its kind and product."""
    found = {
        ("page", 0): (PAGE, "\\N", '{"title": "How to choose"}'),
        ("cart", 0): ("https://shop.test/cart", "\\N", '{"token": "t", "currency": "EUR", "lines": 1}'),
        ("search", 0): ("https://shop.test/search", "\\N", '{"query": "lamp"}'),
    }
    for n in range(PRODUCTS):
        told = {"name": f"Product {n}", "price": price(n), "category": category(n), "brand": brand(n)}
        told |= {"product_id": f"p{n}"}
        found["product", n] = (f"https://shop.test/p/{n}", product_id(n), json.dumps(told))
    return found
