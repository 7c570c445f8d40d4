"""The order a message is about: what was bought, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from campaigns.messages import variables
from campaigns.messages.kinds import Asked, Fact, Missing, facts, is_tried
from campaigns.messages.variables import Variable
from crm.models import Contact, Order, OrderLine, ShopSettings

GONE = Missing("order_gone", "The order it is about is no longer known.")
UNDONE = Missing("order_undone", "The order it is about was cancelled or sent back.")
NONE = Missing("no_order", "It speaks of an order, and its campaign is about none.")
MOST_LINES = 20


@facts.register
class TheOrder(Fact):
    """The order the campaign is about: just placed, or a year ago. Each line with the product's page and
    picture where the shop still knows it. A message about an order that was cancelled or sent back does not
    leave.
    """

    key = "campaigns.order"
    label = "The order it is about"
    name = "order"
    shape = {
        "number": Variable("its number", "4711"),
        "placed_at": Variable("when it was placed", datetime(2026, 3, 2, 10, 0, tzinfo=UTC)),
        "total": Variable("what they paid, all in", Decimal("338.00")),
        "currency": Variable("its currency", "EUR"),
        "item_count": Variable("how many things were bought", 2),
        "lines": [
            {
                "name": Variable("the product", "Fjord 40 bookshelf speakers"),
                "url": Variable(
                    "the product's page", "https://shop.example.com/p/fjord-40", may_be_missing=True
                ),
                "image": Variable(
                    "its picture", "https://shop.example.com/i/fjord-40.jpg", may_be_missing=True
                ),
                "quantity": Variable("how many", 1),
                "price": Variable("what one cost", Decimal("249.00")),
                "in_stock": Variable("whether it can be bought again", True),
            }
        ],
    }

    def subject_of(self, contact: Contact, now: datetime) -> tuple[str, UUID] | None:
        """Their last order that was not undone."""
        undone = [Order.Status.CANCELLED, Order.Status.REFUNDED]
        orders = Order.objects.filter(contact=contact, occurred_at__lte=now).exclude(status__in=undone)
        last = orders.order_by("-occurred_at").values_list("pk", flat=True).first()
        return ("order", last) if last else None

    def load(self, asked: Asked) -> dict[int, Any]:
        about = {one.key: one.subject_id for one in asked.recipients if one.subject_kind == "order"}
        orders = Order.objects.in_bulk(set(about.values()) - {None})
        lines: dict[Any, list[OrderLine]] = {}
        for line in (
            OrderLine.objects.filter(
                contact__in={order.contact_id for order in orders.values()}, order__in=list(orders)
            )
            .select_related("product")
            .order_by("id")
        ):
            lines.setdefault(line.order_id, []).append(line)
        found: dict[int, Any] = {}
        for one in asked.recipients:
            order_id = about.get(one.key)
            order = orders.get(order_id) if order_id else None
            if order is None:
                preview = order_id is None and is_tried(one)
                missing = GONE if order_id else NONE
                found[one.key] = variables.example(self.shape) if preview else missing
            elif order.status in (Order.Status.CANCELLED, Order.Status.REFUNDED):
                found[one.key] = UNDONE
            else:
                found[one.key] = _told(order, lines.get(order.pk, []), asked.shop)
        return found


def _told(order: Order, lines: list[OrderLine], shop: ShopSettings) -> dict[str, Any]:
    return {
        "number": str(order),
        "placed_at": order.occurred_at,
        "total": order.total,
        "currency": order.currency or shop.currency,
        "item_count": int(sum(line.quantity for line in lines)),
        "lines": [_line(line) for line in lines[:MOST_LINES]],
    }


def _line(line: OrderLine) -> dict[str, Any]:
    product, quantity = line.product, line.quantity
    return {
        "name": line.name,
        "url": (product.url if product else "") or None,
        "image": (product.image_url if product else "") or None,
        "quantity": int(quantity) if quantity == int(quantity) else quantity,
        "price": line.unit_price,
        "in_stock": product is not None and not product.is_sold_out,
    }
