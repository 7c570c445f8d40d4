"""Conditions about what people were let off: coupons, reductions, full price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.conditions import goods, words
from crm.conditions.bought import Ordering
from crm.conditions.goods import GoodsForm
from crm.conditions.often import OftenForm
from crm.conditions.purchases import GROUP, at_full_price, of_goods, orders_known
from crm.conditions.spans import SpanForm, span_of
from crm.conditions.words import LEAST, MOST
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Order
from crm.people.among import among


@conditions.register
class UsedCoupon(Ordering):
    """Who ordered with a coupon: any, one certain code, or codes that begin alike, such as the single-use
    ones of one promotion.
    """

    key = "crm.used_coupon"
    label = "Used a coupon"

    class Params(OftenForm, SpanForm):
        code = forms.CharField(
            label="code",
            max_length=80,
            required=False,
            help_text="Blank: any. SPRING-* means every code that begins with SPRING-.",
        )
        field_order = ("code",)

    def sort(self, params: dict[str, Any], orders: QuerySet[Order]) -> QuerySet[Order]:
        with_one = orders.exclude(coupon_code="")
        code = params["code"]
        if code.endswith("*"):
            return with_one.filter(coupon_code__istartswith=code.rstrip("*"))
        return with_one.filter(coupon_code__iexact=code) if code else with_one

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined("used", self._coupon(params), often, span_of(params).words)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        about = words.joined("with", self._coupon(params), span_of(params).words)
        return f"order {about}", f"orders {about}"

    def _coupon(self, params: dict[str, Any]) -> str:
        return f"the coupon {params['code']}" if params["code"] else "a coupon"


@conditions.register
class BoughtAtFullPrice(Ordering):
    """Who placed orders with nothing off: no coupon, no discount, no line below its list price, as far as
    the shop told list prices.
    """

    key = "crm.full_price"
    label = "Bought at full price"

    class Params(OftenForm, GoodsForm, SpanForm):
        field_order = ("which", "times")

    def sort(self, params: dict[str, Any], orders: QuerySet[Order]) -> QuerySet[Order]:
        return of_goods(params, orders).filter(at_full_price())

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        what = goods.in_words(params)
        return words.joined("bought", what, "at full price", often, span_of(params).words)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        about = words.joined(goods.about(params), "at full price", span_of(params).words)
        return f"order {about}", f"orders {about}"


COUPON, ANYTHING = "coupon", "anything"


@conditions.register
class DiscountShare(Condition):
    """Which share of a person's orders had something off. At least 70 % over three orders or more is a
    discount-dependent customer; at most 10 % one who pays full price and needs no coupon.
    """

    key = "crm.discount_share"
    label = "Share of orders with a discount"
    group = GROUP

    class Params(SpanForm):
        which = forms.ChoiceField(label="share", choices=[(LEAST, "at least"), (MOST, "at most")])
        percent = forms.IntegerField(label="percent", min_value=0, max_value=100, initial=70)
        off = forms.ChoiceField(
            label="of their orders had",
            choices=[(ANYTHING, "anything off: coupon, discount, reduced line"), (COUPON, "a coupon")],
            initial=ANYTHING,
        )
        orders = forms.IntegerField(
            label="with at least so many orders", min_value=1, max_value=1000, initial=3
        )
        field_order = ("which", "percent", "off", "orders")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        people = self._counted(params, scope.narrowed(self._orders(params, at, scope)))
        reduced, bar = F("reduced") * 100, F("number") * params["percent"]
        asked = {"share__gte": bar} if params["which"] == LEAST else {"share__lte": bar}
        found = people.filter(number__gte=params["orders"]).annotate(share=reduced).filter(**asked)
        return among(found.values("contact_id"))

    def sentence(self, params: dict[str, Any]) -> str:
        off = "a coupon" if params["off"] == COUPON else "something off"
        share = f"had {off} in at {params['which']} {params['percent']} % of their orders"
        number = words.counted(params["orders"], "order")
        return words.joined(f"{words.joined(share, span_of(params).words)}, with {number} or more")

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        mine = self._orders(params, at, scope).filter(contact_id=OuterRef("pk"))
        told = JSONObject(number=F("number"), reduced=F("reduced"))
        return Subquery(self._counted(params, mine).values(told=told))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "no order"
        share = round(100 * value["reduced"] / value["number"])
        return f"{value['reduced']} of {words.counted(value['number'], 'order')}: {share} %"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        missing = params["orders"] - (value or {}).get("number", 0)
        return words.counted(missing, "more order") if wanted and missing > 0 else ""

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return span_of(params).passed(Order.objects.all(), since, at)

    def _orders(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        return orders_known(at, current=scope.current).filter(span_of(params).q(at))

    def _counted(self, params: dict[str, Any], orders: QuerySet[Order]) -> QuerySet[Any]:
        off = ~Q(coupon_code="") if params["off"] == COUPON else ~at_full_price()
        people = orders.order_by().values("contact_id")
        return people.annotate(number=Count("pk"), reduced=Count("pk", filter=off))
