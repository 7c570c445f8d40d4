"""Conditions about what a person bought. A cancelled order was never one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Count, DecimalField, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, JSONObject
from django.db.models.lookups import GreaterThanOrEqual

from crm.kernel.rules import ENTERED_AT, Condition, Scope, conditions
from crm.models import Order, OrderLine
from crm.shop.settings import this_shop

GROUP = "Orders"


class BoughtParams(forms.Form):
    times = forms.IntegerField(label="at least so many times", min_value=1, max_value=1000, initial=1)
    category = forms.CharField(label="in this category", max_length=200, required=False)
    brand = forms.CharField(label="of this brand", max_length=120, required=False)
    product = forms.CharField(
        label="this product",
        max_length=300,
        required=False,
        help_text="Its name, its SKU or the shop's id of it.",
    )


def known_orders(at: datetime) -> QuerySet[Order]:
    """Orders of the contact in the query around, as placed and known by then."""
    placed = Order.objects.filter(contact=OuterRef("pk"), occurred_at__lte=at, recorded_at__lte=at)
    return placed.exclude(status=Order.Status.CANCELLED)


def matching(params: dict[str, Any], orders: QuerySet[Order]) -> QuerySet[Order]:
    """Of these orders, those with a line of the named goods; each order once."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"), contact=OuterRef("contact"))
    goods = Q()
    if params["category"]:
        goods &= Q(product__category__iexact=params["category"])
    if params["brand"]:
        goods &= Q(product__brand__iexact=params["brand"])
    if params["product"]:
        named = params["product"]
        goods &= (
            Q(name__iexact=named)
            | Q(sku=named)
            | Q(product__external_id=named)
            | Q(product__name__iexact=named)
        )
    return orders.filter(Exists(lines.filter(goods))) if goods else orders


def number_of(orders: QuerySet[Order]) -> Coalesce:
    counted = orders.order_by().values("contact").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def goods_in_words(params: dict[str, Any]) -> str:
    parts = [params["product"], f"from {params['brand']}" if params["brand"] else ""]
    parts.append(f"in {params['category']}" if params["category"] else "")
    return " ".join(part for part in parts if part)


def times_in_words(times: int) -> str:
    return "" if times == 1 else f"at least {times} times"


class _Bought(Condition):
    """Bought so often: one query over orders, with the number and the last day as evidence."""

    group = GROUP

    def orders(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        raise NotImplementedError

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        orders = self.orders(params, at, scope)
        if params["times"] == 1:
            return Q(Exists(orders))
        return Q(GreaterThanOrEqual(number_of(orders), params["times"]))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        orders = self.orders(params, at, scope).order_by().values("contact")
        told = orders.annotate(told=JSONObject(number=Count("pk"), last=Max("occurred_at"))).values("told")
        return Subquery(told)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "bought never"
        last = datetime.fromisoformat(value["last"])
        times = "once" if value["number"] == 1 else f"{value['number']} times"
        return f"bought {times}, last on {last.day} {last:%B %Y}"


@conditions.register
class Ordered(_Bought):
    """Who placed orders: ever or in the last days, of anything or of certain goods, once or so many times."""

    key = "crm.ordered"
    label = "Bought"

    class Params(BoughtParams):
        within_days = forms.IntegerField(
            label="in the last days", min_value=1, max_value=36_500, required=False, help_text="Blank: ever."
        )

    def orders(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        orders = known_orders(at)
        if params["within_days"]:
            orders = orders.filter(occurred_at__gt=at - timedelta(days=params["within_days"]))
        return matching(params, orders)

    def sentence(self, params: dict[str, Any]) -> str:
        span = f"in the last {params['within_days']} days" if params["within_days"] else ""
        return _joined("bought", goods_in_words(params), times_in_words(params["times"]), span)


@conditions.register
class OrderedSinceEntering(_Bought):
    """Who placed orders after entering the campaign that asks: its usual end, and its usual aim."""

    key = "crm.ordered_since_entering"
    label = "Bought since entering"
    needs = frozenset({ENTERED_AT})

    class Params(BoughtParams):
        pass

    def orders(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        return matching(params, known_orders(at).filter(occurred_at__gte=scope.inside.entered_at))

    def sentence(self, params: dict[str, Any]) -> str:
        return _joined("bought", goods_in_words(params), times_in_words(params["times"]), "since entering")


@conditions.register
class Spent(Condition):
    """Who paid at least so much in all, ever or in the last days, refunds taken off."""

    key = "crm.spent"
    label = "Spent"
    group = GROUP

    class Params(forms.Form):
        at_least = forms.DecimalField(
            label="at least", min_value=Decimal("0.01"), max_digits=12, decimal_places=2
        )
        within_days = forms.IntegerField(
            label="in the last days", min_value=1, max_value=36_500, required=False, help_text="Blank: ever."
        )

    def _spent(self, params: dict[str, Any], at: datetime) -> Coalesce:
        orders = known_orders(at)
        if params["within_days"]:
            orders = orders.filter(occurred_at__gt=at - timedelta(days=params["within_days"]))
        paid = (
            orders.order_by().values("contact").annotate(paid=Sum(F("total") - F("refunded"))).values("paid")
        )
        money = DecimalField(max_digits=20, decimal_places=2)
        return Coalesce(Subquery(paid, output_field=money), Value(Decimal(0), output_field=money))

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(GreaterThanOrEqual(self._spent(params, at), params["at_least"]))

    def sentence(self, params: dict[str, Any]) -> str:
        span = f"in the last {params['within_days']} days" if params["within_days"] else ""
        return _joined("spent", f"at least {params['at_least']:,.2f} {this_shop().currency}", span)

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return self._spent(params, at)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"spent {value:,.2f}"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
