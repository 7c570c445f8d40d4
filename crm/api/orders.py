"""POST /orders: what was bought. Tell it as often as you like; the newest `updated_at` counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, model_validator

from crm.kernel import clock
from crm.kernel.endpoints import Body, Moment, OutsideId
from crm.models import Order
from crm.people.identity import Known
from crm.shop.intake import SHOP, LineIn, OrderIn, record_orders
from crm.shop.shapes import (
    MOST,
    Answer,
    Code,
    Currency,
    Long,
    Money,
    Person,
    Quantity,
    Recorded,
    Title,
    Token,
    Word,
    listed,
)

router = Router(tags=["orders"])


class Line(Body):
    product_id: Code = ""
    sku: Code = ""
    name: Title = ""
    quantity: Quantity = Decimal(1)
    unit_price: Money = Decimal(0)
    list_price: Money | None = None
    url: Long = ""
    image: Long = ""

    def told(self) -> LineIn:
        return LineIn(
            name=self.name or self.sku or self.product_id or "Item",
            product=self.product_id,
            sku=self.sku,
            quantity=self.quantity,
            unit_price=self.unit_price,
            list_price=self.list_price,
            url=self.url,
            image_url=self.image,
        )


class OneOrder(Body):
    """An order. Without `lines` it says nothing of them; without `customer` it is of nobody known."""

    id: OutsideId
    placed_at: Moment
    updated_at: Moment | None = None
    total: Money
    currency: Currency = ""
    status: Order.Status = Order.Status.PLACED
    number: Code = ""
    channel: Word = "web"
    subtotal: Money = Decimal(0)
    discount: Money = Decimal(0)
    shipping: Money = Decimal(0)
    tax: Money = Decimal(0)
    refunded: Money = Decimal(0)
    coupon: Token = ""
    cart_token: Token = ""
    checkout_id: Token = ""
    visitor_id: UUID | None = None
    email: Code = ""
    customer: Person | None = None
    lines: list[Line] | None = Field(default=None, max_length=1000)

    def told(self) -> OrderIn:
        known = self.customer.known() if self.customer else Known()
        if self.email and not known.email:
            known = Person(
                **(self.customer.model_dump() if self.customer else {}) | {"email": self.email}
            ).known()
        return OrderIn(
            external_id=self.id,
            placed_at=self.placed_at,
            source_at=self.updated_at,
            known=known,
            coupon_code=self.coupon,
            lines=None if self.lines is None else tuple(line.told() for line in self.lines),
            **{name: getattr(self, name) for name in _SAME},
        )


_SAME = (
    *("total", "currency", "number", "channel", "subtotal", "discount", "shipping", "tax", "refunded"),
    *("cart_token", "checkout_id", "visitor_id", "status"),
)


class Orders(Body):
    orders: list[OneOrder] = Field(min_length=1, max_length=MOST)

    @model_validator(mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return listed(value, "orders")


@router.post("/orders", response=Answer, summary="Record orders")
def record(request: HttpRequest, body: Orders) -> Answer:
    """One order, or `{"orders": […]}` with up to 500. All are recorded, or none."""
    recorded = record_orders([order.told() for order in body.orders], clock.now(), source=SHOP)
    pairs = zip(body.orders, recorded, strict=True)
    return Answer(recorded=[Recorded(id=order.id, ours=order_id) for order, order_id in pairs])
