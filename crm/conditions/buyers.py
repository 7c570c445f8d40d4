"""Who bought certain goods, read off what is kept of each person and product: the same people as by the
orders, found sooner.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.lookups import GreaterThanOrEqual

from crm.conditions import goods
from crm.kernel.rules import Scope
from crm.models import Bought, Order, OrderLine
from crm.people.among import among
from crm.shop import bought

_ENDS = {"gt": "last_at", "gte": "last_at", "lt": "first_at", "lte": "first_at"}


def are_kept(params: dict[str, Any], scope: Scope) -> bool:
    """Whether they can be: asked of now, of goods, once all orders have been counted."""
    return scope.current and goods.are_named(params) and bought.are_whole()


def of(params: dict[str, Any], at: datetime, scope: Scope, when: dict[str, Any] | None = None) -> Q:
    """Who has an order of the goods, placed when one lookup of `occurred_at` says, or at any time."""
    when = when or {}
    ends = {f"{_ENDS[name.rpartition('__')[2]]}__{name.rpartition('__')[2]}": to for name, to in when.items()}
    rows = _rows(params).filter(**ends)
    if not params["product"]:
        return Q(Exists(rows.filter(contact_id=OuterRef("pk"))))
    # Lines of a product that is gone keep its name and its SKU, and are found by these alone.
    lines = OrderLine.objects.filter(
        goods.on_lines(params, by="words"),
        Q(order__occurred_at__lte=at) & ~Q(order__status=Order.Status.CANCELLED),
        **{f"order__{name}": to for name, to in when.items()},
    )
    found = (scope.narrowed(each).order_by().values("contact_id") for each in (rows, lines))
    return among(next(found).union(*found, all=True))


def of_at_least(number: int, params: dict[str, Any], orders: QuerySet[Order], scope: Scope) -> Q:
    """Who has so many orders of a category or a brand, whenever placed. An order of two products of it
    stands in two rows: whom the rows do not settle is settled by `orders`, everybody's of the goods.
    """
    own = orders.filter(contact_id=OuterRef("contact_id")).order_by().values("contact_id")
    # Bare, not within a COALESCE: Django would group by that, and it would be counted for every row.
    own_number = Subquery(own.annotate(number_of=Count("pk")).values("number_of"))
    people = scope.narrowed(_rows(params)).order_by().values("contact_id")
    counted = people.annotate(sure=Max("orders"), most=Sum("orders"))
    settled = Case(
        When(sure__gte=number, then=Value(True)),
        When(most__lt=number, then=Value(False)),
        default=GreaterThanOrEqual(own_number, number),
        output_field=BooleanField(),
    )
    return among(counted.filter(settled).values("contact_id"))


def _rows(params: dict[str, Any]) -> QuerySet[Bought]:
    return Bought.objects.filter(goods.on_lines(params, by="catalogue"))
