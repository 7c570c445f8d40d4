"""Orders as conditions know them: as of an instant, and what was taken off them by then.

A cancelled order is none. When it was cancelled is not kept; the shop's own time of its last word on the
order stands for it: before that instant the order counted, and what was refunded had not been.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, DecimalField, Exists, F, OuterRef, Q, QuerySet, Value, When

from crm.conditions import goods
from crm.models import Order, OrderLine

GROUP = "Orders"
MONEY = DecimalField(max_digits=20, decimal_places=2)


def orders_known(at: datetime, *, current: bool = False) -> QuerySet[Order]:
    """Everybody's orders as placed and known by then. Now no last word is still to come."""
    placed = Order.objects.filter(occurred_at__lte=at, recorded_at__lte=at)
    counted = ~Q(status=Order.Status.CANCELLED)
    return placed.filter(counted if current else counted | Q(source_at__gt=at))


def of_goods(params: dict[str, Any], orders: QuerySet[Order]) -> QuerySet[Order]:
    """Of these orders, those with a line of the goods; each order once."""
    if not goods.are_named(params):
        return orders
    lines = OrderLine.objects.filter(order=OuterRef("pk"), contact=OuterRef("contact"))
    return orders.filter(Exists(lines.filter(goods.on_lines(params))))


def paid(at: datetime, *, current: bool = False) -> Any:
    """What an order brought in: its total less what was refunded by then."""
    if current:
        return F("total") - F("refunded")
    refunded = Case(When(source_at__gt=at, then=Value(0, MONEY)), default=F("refunded"), output_field=MONEY)
    return F("total") - refunded


def at_full_price() -> Q:
    """Orders without a coupon, a discount, or a line below its list price, where that is known."""
    below = OrderLine.objects.filter(
        order=OuterRef("pk"), contact=OuterRef("contact"), list_price__gt=F("unit_price")
    )
    return Q(coupon_code="") & Q(discount__lte=0) & ~Q(Exists(below))
