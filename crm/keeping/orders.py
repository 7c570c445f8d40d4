"""What they bought. Orders stay as numbers of nobody."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Case, F, Value, When

from crm.kernel.keeping import Kept, keeping
from crm.models import Bought, Order, OrderLine
from crm.shop import bought


@keeping.register
class Orders(Kept):
    """Orders: sums, currency, day and channel stay."""

    key = "crm.orders"
    label = "Orders"
    place = 50
    model = Order
    leaves = {
        "source": "erased",
        "external_id": F("id"),
        "number": "",
        "coupon_code": "",
        "cart_token": "",
        "checkout_id": "",
        "address_hash": None,
        "visitor_id": None,
    }


@keeping.register
class Lines(Kept):
    """What was in them: goods of the catalogue stay, words typed in by hand go."""

    key = "crm.order_lines"
    label = "Order lines"
    place = 60
    model = OrderLine
    follows = "order"
    leaves = {"name": Case(When(product=None, then=Value("")), default=F("name"))}


@keeping.register
class Together(Kept):
    """What they bought of each product: derived."""

    key = "crm.bought"
    label = "Bought, by product"
    place = 70
    model = Bought
    moves = False

    def settle(self, people: Collection[UUID], now: datetime) -> None:
        bought.recount(people)
