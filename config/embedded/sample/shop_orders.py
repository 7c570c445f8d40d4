"""An order of the sample shop, as its server tells it in full, and the page's script in short."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .carts import Cart, Customer, Line, Totals
from .catalogue import CURRENCY, tax_within


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    number: str
    placed_at: datetime
    customer: Customer
    lines: tuple[Line, ...]
    totals: Totals
    coupon: str
    cart_token: str
    visitor_id: str

    @classmethod
    def of(cls, cart: Cart, customer: Customer, coupon: str, visitor_id: str, now: datetime) -> "Order":
        """The order a cart becomes. Its id is random: the shop forgets all it sold when it stops."""
        number = secrets.randbelow(9_000_000) + 1_000_000
        return cls(
            id=f"web-{secrets.token_hex(8)}",
            number=f"#{number}",
            placed_at=now,
            customer=customer,
            lines=tuple(cart.lines),
            totals=cart.totals(coupon),
            coupon=coupon,
            cart_token=cart.token,
            visitor_id=visitor_id,
        )

    def for_server(self, origin: str) -> dict[str, Any]:
        """The body of the product's order call."""
        customer = self.customer
        return {
            **self.for_script(origin),
            "number": self.number,
            "placed_at": self.placed_at.isoformat(),
            "status": "paid",
            "subtotal": str(self.totals.goods),
            "discount": str(self.totals.discount),
            "shipping": str(self.totals.shipping),
            "tax": str(tax_within(self.totals.total)),
            "channel": "web",
            "customer": {
                "email": customer.email,
                "first_name": customer.first_name,
                "last_name": customer.last_name,
                "phone": customer.phone,
            },
            "visitor_id": self.visitor_id or None,
        }

    def for_script(self, origin: str) -> dict[str, Any]:
        """What the page may say: nothing that names the person."""
        return {
            "id": self.id,
            "currency": CURRENCY,
            "total": str(self.totals.total),
            "coupon": self.coupon,
            "cart_token": self.cart_token,
            "checkout_id": self.cart_token,
            "lines": [
                {
                    "product_id": line.product.id,
                    "sku": line.product.sku,
                    "name": line.product.name,
                    "quantity": line.quantity,
                    "unit_price": str(line.product.price),
                    "list_price": str(line.product.list_price or line.product.price),
                    "url": origin + line.product.path,
                    "image": origin + line.product.picture,
                }
                for line in self.lines
            ],
        }
