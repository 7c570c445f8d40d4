"""What one customer likes, has, and puts together."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from random import Random  # noqa: TID251 - the caller's generator is seeded: a sample year is the same every time

from .catalogue import BY_ID, CATEGORIES, GOES_WITH, PRODUCTS, Product
from .records import Item

REDUCED = (((6, 20), (7, 5)), ((11, 20), (11, 30)))
"""Weeks in which the shop takes a tenth off what costs more than €100: from, to (month, day)."""


class Taste:
    """Favourite categories, and what they own already: nobody buys the same turntable twice."""

    def __init__(self, chance: Random) -> None:
        self.liking = {category.key: chance.gammavariate(0.7, 1) + 0.05 for category in CATEGORIES}
        self.owned: set[str] = set()

    def _wants(self, product: Product) -> float:
        if product.id in self.owned and product.supply_days is None:
            return 0.02
        buys_again = 4 if self.owned and product.supply_days else 1
        return product.weight * self.liking[product.category] * buys_again

    def looks(self, chance: Random, number: int) -> list[str]:
        """Products of one visit, each once."""
        seen = chance.choices(PRODUCTS, [self._wants(product) for product in PRODUCTS], k=number)
        return list(dict.fromkeys(product.id for product in seen))

    def basket(self, chance: Random, at: datetime, wanted: Sequence[str]) -> tuple[Item, ...]:
        """One purchase: what was wanted or one main thing, and often something that goes with it."""
        chosen = list(wanted) or self.looks(chance, 1)
        partners = GOES_WITH[BY_ID[chosen[0]].category]
        for share in (0.42, 0.18):
            if chance.random() < share:
                chosen.append(chance.choice(partners))
        items = tuple(self.item(chance, product, at) for product in dict.fromkeys(chosen))
        self.owned.update(item.product for item in items)
        return items

    def item(self, chance: Random, product_id: str, at: datetime) -> Item:
        product = BY_ID[product_id]
        quantity = chance.choices((1, 2, 3), (70, 22, 8))[0] if product.category in ("care", "cables") else 1
        before = product.list_price or product.price
        price = product.price
        if product.price > 100 and any(begin <= (at.month, at.day) <= end for begin, end in REDUCED):
            price = (product.price * Decimal("0.9")).quantize(Decimal("0.01"))
        return Item(product_id, quantity, price, before)
