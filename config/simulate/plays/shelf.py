"""What a recording does not say of the goods: what ran out and came back, what became cheaper and dearer
again. Derived from the names alone, so that it is the same every time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from config.simulate.plays.notes import share

HOUR, DAY = 3600, 86_400
SOLD_OUT_SHARE, CHEAPER_SHARE, AGAIN_SHARE = 0.2, 0.15, 0.35
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Change:
    """From when on (Unix seconds) something can be bought or not, or what it costs."""

    at: int
    item: str
    can_be_bought: bool | None = None
    price: Decimal | None = None


class Shelf:
    """All changes in their order, and the price of any moment."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self.changes = sorted(changes, key=lambda change: (change.at, change.item))
        self._prices: dict[str, list[tuple[int, Decimal]]] = defaultdict(list)
        for change in self.changes:
            if change.price is not None:
                self._prices[change.item].append((change.at, change.price))

    def price(self, item: str, at: int) -> Decimal | None:
        """What it costs then; nothing before anything was said of it."""
        known = self._prices.get(item, [])
        place = bisect_right(known, at, key=lambda one: one[0])
        return known[place - 1][1] if place else None


def sold_out(items: Iterable[str], since: int, until: int) -> Iterable[Change]:
    """A fifth of the goods run out once, for six to sixty hours; a third of those again, soon after they
    are back, for up to three hours.
    """
    for item in items:
        if share("sold out", item) >= SOLD_OUT_SHARE:
            continue
        gone = since + int(share("from", item) * (until - since))
        back = gone + int((6 + 54 * share("for", item)) * HOUR)
        yield Change(gone, item, can_be_bought=False)
        yield Change(back, item, can_be_bought=True)
        if share("again", item) < AGAIN_SHARE:
            gone = back + 60 + int(share("again after", item) * 2 * HOUR)
            yield Change(gone, item, can_be_bought=False)
            yield Change(gone + int((0.2 + 2.8 * share("again for", item)) * HOUR), item, can_be_bought=True)


def cheaper(prices: Iterable[tuple[str, Decimal]], since: int, until: int) -> Iterable[Change]:
    """What everything costs; one in seven falls by 12 to 35 percent once, a third of those rise again."""
    for item, price in prices:
        yield Change(since, item, price=price)
        if share("cheaper", item) >= CHEAPER_SHARE:
            continue
        fell = since + DAY + int(share("fell", item) * (until - since - DAY))
        less = (price * Decimal(0.88 - 0.23 * share("by", item))).quantize(CENT)
        yield Change(fell, item, price=less)
        if share("rose", item) < AGAIN_SHARE:
            yield Change(fell + int((0.1 + 24 * share("rose after", item)) * HOUR), item, price=price)
