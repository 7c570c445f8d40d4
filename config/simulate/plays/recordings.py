"""Recordings as what browsers, the shop's server and its shelves say, moment by moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from config.simulate import clickstream
from config.simulate.clickstream import Act, Batch, Manners, Purchase, Shop
from config.simulate.plays import retail
from config.simulate.plays.notes import Notes, share
from config.simulate.plays.shelf import DAY, Change, Shelf, cheaper, sold_out

AGREE = {
    "cart_recovery": 0.85,
    "product_reminder": 0.75,
    "newsletter": 0.75,
    "win_back": 0.8,
    "back_in_stock": 0.7,
    "click_tracking": 0.8,
}
ABROAD = ["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "Pacific/Apia"]


class Said(Manners):
    """How recorded people behave where the recording is silent: always the same for the same names."""

    together = 600

    def __init__(self, notes: Notes, shelf: Shelf, currency: str, names: dict[str, str]) -> None:
        self.notes, self.shelf, self.currency, self.names = notes, shelf, currency, names

    def agreed(self, person: str) -> Sequence[str]:
        """Nothing by the browser: what a replay tells of consents counts as an import. See `signs`."""
        return []

    def signs(self, person: str) -> list[str]:
        """What they agree to in the shop's form, at first sight."""
        return [purpose for purpose, many in AGREE.items() if share(purpose, person) < many]

    def name(self, item: str) -> str:
        return self.names.get(item) or f"Item {item}"

    def price(self, item: str, at: int) -> Decimal:
        return self.shelf.price(item, at) or clickstream.price(item)

    def goes_on(self, act: Act) -> bool:
        return share("checkout", act.person, act.at) < 0.3


class Recording:
    """One recording: all that is said, in order; asked for window after window."""

    zone = "Asia/Shanghai"
    currency = clickstream.CURRENCY
    every, rests, keeps = 7200, 43_200, 14_400
    broadcast = "2017-12-01T10:00"
    past = 3900  # a little past nine in Shanghai, and past each hour
    visits_are_derived = False

    def __init__(self, acts: list[Act], orders: list[Purchase], shelf: Shelf, names: dict[str, str]) -> None:
        self.acts, self.orders, self.shelf, self.names = acts, orders, shelf, names
        self._place = {"acts": 0, "orders": 0, "changes": 0}

    @property
    def begins(self) -> int:
        """When the shop opens. A few stray acts lie weeks before the others: they are told of at once."""
        return min(
            [one.at for one in self.acts[len(self.acts) // 200 :][:1]] + [one.at for one in self.orders[:1]]
        )

    @property
    def ends(self) -> int:
        return max([one.at for one in self.acts[-1:]] + [one.at for one in self.orders[-1:]])

    @property
    def people(self) -> list[str]:
        return sorted({act.person for act in self.acts} | {order.person for order in self.orders} - {""})

    def next_at(self) -> int | None:
        """When something is said next."""
        rows: list[Sequence[Any]] = [self.acts, self.orders, self.shelf.changes]
        ahead = [
            row[place].at for row, place in zip(rows, self._place.values(), strict=True) if place < len(row)
        ]
        return min(ahead, default=None)

    def changes(self, until: int) -> list[Change]:
        """What changed on the shelves since it was asked last."""
        return self._taken("changes", self.shelf.changes, until)

    def said(self, shop: Shop, until: int) -> Iterator[Batch | Purchase]:
        """What browsers and the shop's server said since it was asked last."""
        acts = self._taken("acts", self.acts, until)
        begun = 0
        for order in self._taken("orders", self.orders, until):
            place = bisect_right(acts, order.at, key=lambda act: act.at)
            yield from shop.tell(acts[begun:place])
            begun = place
            yield order if not order.person else _with_cart(shop, order)
        yield from shop.tell(acts[begun:])

    def _taken(self, name: str, rows: list[Any], until: int) -> list[Any]:
        first = self._place[name]
        self._place[name] = bisect_right(rows, until, lo=first, key=lambda row: row.at)
        return rows[first : self._place[name]]


def _with_cart(shop: Shop, order: Purchase) -> Purchase:
    token = shop.emptied(order.person)
    more = {"cart_token": token, "visitor_id": str(clickstream.visitor(order.person))}
    return Purchase(order.person, order.at, order.body | more)


def of_clickstream(path: Path, people: int | None) -> Recording:
    """The clickstream as it is, and shelves that run out and fill up while most people are about."""
    acts = clickstream.read(path, people)
    items = sorted({act.item for act in acts})
    busy = [act.at for act in acts[len(acts) // 200 :]]
    since, until = busy[0], busy[-1] + 2 * DAY
    changes = [
        *sold_out(items, since, until),
        *cheaper(((item, clickstream.price(item)) for item in items), acts[0].at - 60, until),
    ]
    return Recording(acts, [], Shelf(changes), {})


class Retail(Recording):
    zone = "Europe/London"
    currency = "GBP"
    every, rests, keeps = 43_200, 43_200, 43_200
    past = 32_700  # a little past nine in the morning and the evening
    broadcast = "2011-03-01T10:00"
    visits_are_derived = True


def of_retail(path: Path, people: int | None) -> Recording:
    """Invoices as orders, with prices that really changed; the visits before them are derived."""
    invoices = retail.read(path, people)
    names = retail.names(invoices)
    shelf = retail.shelf(invoices)
    return Retail(retail.visits(invoices), retail.orders(invoices), shelf, names)


READERS = {"taobao": of_clickstream, "retail": of_retail}
