"""A product as templates see it, and as the fence remembers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from campaigns.messages.variables import Variable
from crm.models import Product, ShopSettings
from tracking.models import Cart, CartLine


def _shape(name: str, key: str, price: str, list_price: str) -> dict[str, Any]:
    return {
        "name": Variable("the product", name),
        "url": Variable("its page", f"https://shop.example.com/p/{key}"),
        "image": Variable("its picture", f"https://shop.example.com/i/{key}.jpg", may_be_missing=True),
        "price": Variable("what it costs now", Decimal(price), may_be_missing=True),
        "list_price": Variable(
            "what it cost before, where it is reduced", Decimal(list_price), may_be_missing=True
        ),
        "currency": Variable("the currency of its price", "EUR"),
        "brand": Variable("its brand", "Fjord", may_be_missing=True),
        "category": Variable("its category", "Speakers", may_be_missing=True),
    }


SHAPES = [
    _shape("Fjord 40 bookshelf speakers", "fjord-40", "249.00", "299.00"),
    _shape("Fjord stands, pair", "fjord-stands", "89.00", "99.00"),
    _shape("Skagen A50 amplifier", "skagen-a50", "399.00", "449.00"),
    _shape("Speaker cable, 10 m", "cable-10", "29.00", "35.00"),
]
"""A list of products as templates see it, with four for an example."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def told(product: Product, shop: ShopSettings) -> dict[str, Any]:
    """In the shape of `SHAPES`."""
    is_reduced = (
        product.list_price is not None and product.price is not None and product.list_price > product.price
    )
    return {
        "name": product.name,
        "url": product.url,
        "image": product.image_url or None,
        "price": product.price,
        "list_price": product.list_price if is_reduced else None,
        "currency": product.currency or shop.currency,
        "brand": product.brand or None,
        "category": product.category or None,
    }


def seen(products: Iterable[Product]) -> dict[UUID, datetime | None]:
    """Which products, and how fresh what was read of them is."""
    return {product.pk: product.changed_at for product in products}


def stamp(shown: Mapping[UUID, datetime | None]) -> int:
    """One number for how fresh all of them were, as the fence adds them up: `changed_at` only ever grows, so
    the sum is the same only while none has changed.
    """
    return sum(1 + ((at - _EPOCH) // timedelta(microseconds=1) if at else 0) for at in shown.values())


def of_lines(lines: Sequence[CartLine]) -> dict[UUID, Product]:
    """The products that lines of carts name and the shop still knows, in one query; in two, where a line is
    from before the shop told of its product: that line is given it here.
    """
    unknown = {line.external_id for line in lines if line.product_id is None} - {""}
    if unknown:
        told = Product.objects.filter(external_id__in=unknown).order_by("created_at")
        known = dict(told.values_list("external_id", "pk"))
        for line in lines:
            line.product_id = line.product_id or known.get(line.external_id)
    return Product.objects.defer("description").in_bulk({line.product_id for line in lines} - {None})


def line(line: CartLine, product: Product | None, cart: Cart) -> dict[str, Any]:
    """A line of a cart as templates see it: as the person left it, at what the shop asks now.

    Only a product that changed after the cart did can have another price than the cart says.
    """
    price = line.price
    if (
        product
        and product.price is not None
        and product.changed_at
        and product.changed_at > cart.changed_at
        and product.currency in ("", cart.currency)
        and price is not None
    ):
        price = product.price
    return {
        "name": line.name,
        "url": (product.url if product else "") or line.url,
        "image": line.image_url or None,
        "quantity": int(line.quantity) if line.quantity == int(line.quantity) else line.quantity,
        "price": price,
        "total": price * line.quantity if price is not None else None,
        "in_stock": product is None or not product.is_sold_out,
    }
