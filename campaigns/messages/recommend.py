"""What to show to whom: answers for a batch of people in two queries, whatever its size.

Every sort asks the same way. *Seeds* are what this is about: the cart, what the person looked at, what they
bought, each with a weight that fades. *Candidates* come from the seeds; where there are too few, the best
sellers of the seeds' categories follow, then those of the shop, then whatever is newest. Never among them:
what is sold out, not sold any more or has no page; what the person just bought, unless it is used up; what
they see anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from campaigns.messages import recommend_sql
from crm.models import Product
from crm.shop import bought

SORTS = recommend_sql.SORTS
LABELS = {
    "similar": "Similar products",
    "together": "Often bought together",
    "favourites": "What they buy most",
    "fresh": "New in their brands and categories",
    "best": "Best sellers",
}
MOST = 6
_UNTOLD = ("description", "cost", "source_at", "created_at", "updated_at")

LOOKED_FOR = timedelta(days=30)
BOUGHT_FOR = timedelta(days=365)
JUST_BOUGHT = timedelta(days=90)
NEW_FOR = timedelta(days=60)


@dataclass(frozen=True)
class Wanted:
    """Whom to recommend to: `key` is the caller's own, `cart_id` the cart the message is about, if any."""

    key: int
    contact_id: UUID
    cart_id: UUID | None = None


@dataclass(frozen=True)
class Pick:
    """One product, and why it."""

    product: Product
    because: str


def picks(
    wanted: Sequence[Wanted], names: Collection[str], now: datetime, most: int = MOST
) -> dict[int, dict[str, list[Pick]]]:
    """By key and sort: at most `most` products, the best first."""
    sorts = [name for name in SORTS if name in names]
    rows = _ask(sorts, wanted, now, most)
    products = _products(row[3] for row in rows)
    answers: dict[int, dict[str, list[Pick]]] = {one.key: {name: [] for name in sorts} for one in wanted}
    for name, key, _place, product_id, tier, seed, detail in sorted(rows, key=lambda row: row[:3]):
        if product_id in products:
            because = _because(name, tier, seed, detail)
            answers[key][name].append(Pick(products[product_id], because))
    return answers


def looked_at(wanted: Sequence[Wanted], now: datetime, most: int = MOST) -> dict[int, list[Product]]:
    """What each looked at lately and did not buy since, the last first; only what can be bought."""
    rows = _run(recommend_sql.looked_at(bought.are_whole()), wanted, now, most)
    products = _products(product for _key, product in rows)
    found: dict[int, list[Product]] = {one.key: [] for one in wanted}
    for key, product in rows:
        if product in products:
            found[key].append(products[product])
    return found


def categories_of(wanted: Sequence[Wanted], now: datetime) -> dict[int, dict[str, float]]:
    """The categories and brands each cares for, in small letters, by how much."""
    found: dict[int, dict[str, float]] = {one.key: {} for one in wanted}
    for key, name, weight in _run(recommend_sql.cares(bought.are_whole()), wanted, now, MOST):
        found[key][name] = float(weight)
    return found


def goes_with(product_id: UUID, sort: str, limit: int = 8) -> list[tuple[Product, int]]:
    """What goes with one product and can be bought, the nearest first, with how often both were seen."""
    with connection.cursor() as cursor:
        cursor.execute(recommend_sql.GOES_WITH, {"product": product_id, "sort": sort, "limit": limit})
        rows = cursor.fetchall()
    products = _products(other for other, _times in rows)
    return [(products[other], times) for other, times in rows]


def _products(keys: Iterable[UUID]) -> dict[UUID, Product]:
    """What messages and pages tell of them is read, no more: there are thousands for a batch."""
    return Product.objects.defer(*_UNTOLD).in_bulk(set(keys))


def _ask(names: Sequence[str], wanted: Sequence[Wanted], now: datetime, most: int) -> list[tuple[Any, ...]]:
    """Sort, key, place, product, tier, the seed's name and detail of every answer, all sorts in one query."""
    if not names:
        return []
    rows = _run(recommend_sql.question(names, bought.are_whole()), wanted, now, most, names)
    return [(SORTS[sort], *rest) for sort, *rest in rows]


def _run(
    statement: str, wanted: Sequence[Wanted], now: datetime, most: int, names: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    if not wanted:
        return []
    values: dict[str, Any] = {
        "keys": [one.key for one in wanted],
        "contacts": [one.contact_id for one in wanted],
        "carts": [one.cart_id for one in wanted],
        "now": now,
        "looked_since": now - LOOKED_FOR,
        "bought_since": now - BOUGHT_FOR,
        "just": now - JUST_BOUGHT,
        "new_since": now - NEW_FOR,
        "most": most,
        "sorts": [SORTS.index(name) for name in names],
        "near": [name for name in names if name in recommend_sql.NEAR],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _because(name: str, tier: int, seed: str | None, detail: str | None) -> str:
    if tier == 0 and name in ("similar", "together"):
        how = "looked at" if name == "similar" else "bought"
        return f"{how} together with {seed}, {_DETAILS[detail or 'looked']}"
    if tier == 0 and name == "favourites":
        return detail or ""
    if tier == 0 and name == "fresh":
        return f"new in {detail}"
    if tier == 1:
        return f"sells best in {detail}"
    return "sells best in the shop" if tier == 2 else "new in the shop"


_DETAILS = {"cart": "which is in the cart", "looked": "which they looked at", "bought": "which they bought"}
