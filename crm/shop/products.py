"""Record what the shop sells. A word with a time of its own beats older ones; a hint only fills blanks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from crm.models import Product
from crm.models.writing import insert_rows, update_rows
from crm.people.identity import short
from crm.shop import prices, stock
from crm.shop.fitting import fit, web_address
from crm.shop.regarding import ASKED, stir_owners


@dataclass(frozen=True)
class ProductIn:
    """A product as its source tells of it; None says nothing.

    Without `source_at` it is a hint, such as a line of an order or a page that was looked at.
    """

    external_id: str
    name: str | None = None
    sku: str | None = None
    description: str | None = None
    url: str | None = None
    image_url: str | None = None
    price: Decimal | None = None
    list_price: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None
    brand: str | None = None
    category: str | None = None
    stock: int | None = None
    in_stock: bool | None = None
    consumable: bool | None = None
    days_of_supply: int | None = None
    is_active: bool | None = None
    source_at: datetime | None = None


@dataclass
class _Memory:
    """What has to be remembered of a batch."""

    asked: list[prices.Change] = field(default_factory=list)
    stocked: list[stock.Change] = field(default_factory=list)


_SAID = tuple(f.name for f in fields(ProductIn) if f.name not in ("external_id", "source_at"))
_STOCK = ("stock", "in_stock")


def record_products(batch: Sequence[ProductIn], now: datetime, *, source: str) -> dict[str, UUID]:
    """Our id of each product by the shop's id of it; a batch costs a fixed number of queries."""
    told: dict[str, list[ProductIn]] = {}
    for word in batch:
        told.setdefault(short(word.external_id, 200), []).append(word)
    for words in told.values():
        words.sort(key=lambda word: (word.source_at is not None, word.source_at or now))
    rows = Product.objects.filter(source=source[:40])
    products = {product.external_id: product for product in rows.filter(external_id__in=list(told))}
    missing = [external_id for external_id in sorted(told) if external_id not in products]
    differing = [product.pk for key, product in products.items() if _apply(product, told[key], now)]
    if missing or differing:
        with transaction.atomic():
            products |= _write(missing, differing, told, now, source[:40])
    return {word.external_id: products[short(word.external_id, 200)].pk for word in batch}


def _write(
    missing: list[str], differing: list[UUID], told: dict[str, list[ProductIn]], now: datetime, source: str
) -> dict[str, Product]:
    new = [
        Product(source=source, external_id=key, name=key, created_at=now, updated_at=now) for key in missing
    ]
    memory = _Memory()
    for product in new:
        product.name = ""
        _apply(product, told[product.external_id], now, memory)
        product.name = product.name or product.external_id
    insert_rows(new, ignore_conflicts=True)
    rows = Product.objects.filter(source=source, external_id__in=missing) | Product.objects.filter(
        pk__in=differing
    )
    products = {
        product.external_id: product for product in rows.order_by("pk").select_for_update(no_key=True)
    }
    before = {product.pk: _asked(product) for product in products.values()}
    changed = [product for key, product in products.items() if _apply(product, told[key], now, memory)]
    if changed:
        update_rows(changed, *_SAID, "source_at", "changed_at", "updated_at")
        renamed = [product.pk for product in changed if before[product.pk] != _asked(product)]
        transaction.on_commit(partial(stir_owners, renamed))
    # Of a product that somebody else made at the same moment it was they who kept its first price.
    ours = {product.pk for product in products.values()}
    prices.remember((change for change in memory.asked if change[0] in ours), now)
    stock.remember((change for change in memory.stocked if change[0] in ours), now)
    return products


def _apply(product: Product, words: list[ProductIn], now: datetime, memory: _Memory | None = None) -> bool:
    """Let the words speak, oldest first. Returns whether the product has changed; what the site asked for it
    in between, and whether it could be bought, goes into `memory`.
    """
    before = [getattr(product, name) for name in _SAID]
    said_before = product.source_at
    offered = {name: getattr(product, name) for name in Product.OFFERED}
    for word in words:
        said_at = min(word.source_at, now) if word.source_at else None
        is_newer = said_at is not None and (product.source_at is None or said_at > product.source_at)
        price_before, was_sold_out = prices.price_of(product), product.is_sold_out
        for name in _SAID:
            value = _fitted(name, getattr(word, name))
            if name not in _STOCK and value is not None and (is_newer or _is_blank(product, name)):
                setattr(product, name, value)
        if is_newer or product.in_stock is None:
            product.told_stock(_fitted("stock", word.stock), word.in_stock)
        if is_newer:
            product.source_at = said_at
        if memory is not None:
            since = product.source_at or now
            if (price := prices.price_of(product)) != price_before:
                memory.asked.append((product.pk, price, since))
            if product.is_sold_out != was_sold_out:
                memory.stocked.append((product.pk, was_sold_out, since))
    if before == [getattr(product, name) for name in _SAID] and said_before == product.source_at:
        return False
    product.updated_at = now
    product.note_change(offered, now)
    return True


def _asked(product: Product) -> list[Any]:
    return [getattr(product, name) for name in ASKED]


def _is_blank(product: Product, name: str) -> bool:
    value = getattr(product, name)
    # Nobody has called it by a name yet: it goes by its id.
    return value in (None, "") or (name == "name" and value == product.external_id)


def _fitted(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in ("url", "image_url"):
        return web_address(value)
    if name in ("stock", "days_of_supply"):
        return max(min(value, 2**31 - 1), 0 if name == "days_of_supply" else -(2**31))
    if name == "name":
        return fit(Product, name, value) or None
    return fit(Product, name, value)


def foretell(product: Product, word: ProductIn, now: datetime) -> dict[str, tuple[Any, Any]]:
    """What a word would make of a product: by name what it was and what it becomes, `source_at` among it.
    `product` takes the word, and is not stored.
    """
    before = {name: getattr(product, name) for name in (*_SAID, "source_at")}
    _apply(product, [word], now)
    return {name: (old, new) for name, old in before.items() if old != (new := getattr(product, name))}


def put_back(before: Mapping[UUID, Mapping[str, tuple[Any, Any]]], now: datetime) -> int:
    """Make products what they were, field by field, where they still are what they became (see `foretell`; as
    texts, too). What the site asks for them is remembered as changed now. Returns how many changed.
    """
    memory, changed, renamed = _Memory(), [], []
    rows = Product.objects.filter(pk__in=list(before)).order_by("pk").select_for_update(no_key=True)
    for product in rows:
        offered = {name: getattr(product, name) for name in Product.OFFERED}
        asked, price, was_sold_out = _asked(product), prices.price_of(product), product.is_sold_out
        for name, (old, new) in before[product.pk].items():
            field: Any = Product._meta.get_field(name)
            if getattr(product, name) == field.to_python(new):
                setattr(product, name, field.to_python(old))
        product.note_change(offered, now)
        product.updated_at = now
        changed.append(product)
        if asked != _asked(product):
            renamed.append(product.pk)
        if price != prices.price_of(product):
            memory.asked.append((product.pk, prices.price_of(product), now))
        if was_sold_out != product.is_sold_out:
            memory.stocked.append((product.pk, was_sold_out, now))
    update_rows(changed, *_SAID, "source_at", "changed_at", "updated_at")
    transaction.on_commit(partial(stir_owners, renamed))
    prices.remember(memory.asked, now)
    stock.remember(memory.stocked, now)
    return len(changed)
