"""Carts and customers as the sample shop's server remembers them: in memory, by a token in its own cookie."""

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from .catalogue import BY_ID, CURRENCY, Product, discount_for, shipping_for

MOST_OF_ONE = 20
MOST_CARTS = 20_000


@dataclass(frozen=True, slots=True)
class Line:
    product: Product
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity


@dataclass(slots=True)
class Customer:
    """Whom a browser said it is when it filled in the shop's form."""

    email: str
    first_name: str
    last_name: str = ""
    phone: str = ""


@dataclass(slots=True)
class Cart:
    token: str
    quantities: dict[str, int] = field(default_factory=dict)

    @property
    def lines(self) -> list[Line]:
        return [Line(BY_ID[key], quantity) for key, quantity in self.quantities.items()]

    @property
    def count(self) -> int:
        return sum(self.quantities.values())

    @property
    def goods(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal("0.00"))

    def totals(self, coupon: str = "") -> "Totals":
        discount = discount_for(self.goods, coupon)
        return Totals(self.goods, discount, shipping_for(self.goods - discount))

    def put(self, product_id: str, quantity: int) -> None:
        """Set how many of a product there are; none takes the line out. What the shop has not is ignored."""
        if product_id not in BY_ID:
            return
        if quantity > 0:
            self.quantities[product_id] = min(quantity, MOST_OF_ONE)
        else:
            self.quantities.pop(product_id, None)

    def as_event(self, origin: str) -> dict[str, object]:
        """The whole cart in the form the product's script takes."""
        return {
            "token": self.token,
            "checkout_id": self.token,
            "currency": CURRENCY,
            "url": f"{origin}/cart",
            "lines": [
                {
                    "product_id": line.product.id,
                    "name": line.product.name,
                    "price": str(line.product.price),
                    "quantity": line.quantity,
                    "url": origin + line.product.path,
                    "image": origin + line.product.picture,
                }
                for line in self.lines
            ],
        }


@dataclass(frozen=True, slots=True)
class Totals:
    goods: Decimal
    discount: Decimal
    shipping: Decimal

    @property
    def total(self) -> Decimal:
        return self.goods - self.discount + self.shipping


class Shelf:
    """All open carts by token. A restart forgets them; restore links live on, the product remembers those."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._carts: dict[str, Cart] = {}

    def cart(self, token: str) -> Cart:
        """The cart behind a cookie; an unknown or missing token gets a fresh, empty one."""
        with self._lock:
            cart = self._carts.get(token)
            return cart if cart else Cart(secrets.token_urlsafe(16))

    def keep(self, cart: Cart) -> None:
        with self._lock:
            self._carts.pop(cart.token, None)
            self._carts[cart.token] = cart
            while len(self._carts) > MOST_CARTS:
                self._carts.pop(next(iter(self._carts)))

    def close(self, cart: Cart) -> None:
        """The cart has become an order."""
        with self._lock:
            self._carts.pop(cart.token, None)

    def bring_back(self, token: str, items: Iterable[tuple[str, int]], current: Cart) -> Cart:
        """The cart a restore link stands for, under its own token, and what the browser has in it now."""
        with self._lock:
            cart = self._carts.get(token) or Cart(token or secrets.token_urlsafe(16))
        for product_id, quantity in (*items, *current.quantities.items()):
            cart.put(product_id, max(quantity, cart.quantities.get(product_id, 0)))
        if current.token != cart.token:
            self.close(current)
        self.keep(cart)
        return cart
