"""Conditions about having bought: what, how often, when, by which way. A cancelled order was never one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThanOrEqual

from crm.conditions import buyers, goods, words
from crm.conditions.goods import GoodsForm
from crm.conditions.often import Often, OftenForm
from crm.conditions.purchases import GROUP, of_goods, orders_known
from crm.conditions.spans import SpanForm, span_of
from crm.kernel.rules import ENTERED_AT, Condition, Scope, conditions
from crm.models import Order
from crm.people.among import among


class Ordering(Often):
    """So many orders of one sort within a stretch of time."""

    group = GROUP

    def sort(self, params: dict[str, Any], orders: QuerySet[Order]) -> QuerySet[Order]:
        """Of these orders, those meant."""
        return of_goods(params, orders)

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        orders = orders_known(at, current=scope.current)
        return self.sort(params, orders.filter(span_of(params).q(at)))

    def exactly(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        people = self._counted(self.rows(params, at, scope), scope)
        return among(people.filter(number=number).values("contact_id"))

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        about = words.joined(goods.about(params), span_of(params).words)
        return words.joined("order", about), words.joined("orders", about)

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return span_of(params).passed(Order.objects.all(), since, at)


def _told(value: Any) -> str:
    if not value:
        return "bought never"
    return f"bought {words.times(value['number'])}, last on {words.day(value['last'])}"


@conditions.register
class Ordered(Ordering):
    """Who placed orders: of anything or of certain goods, at least, at most or exactly so many times; ever,
    in the last days, or between two days.
    """

    key = "crm.ordered"
    label = "Bought"

    class Params(OftenForm, GoodsForm, SpanForm):
        field_order = ("which", "times", "category", "brand", "product")

    def at_least(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if self._are_all(params, scope):
            return Q(engagement__order_count__gte=number)
        if buyers.are_kept(params, scope):
            when = span_of(params).one_sided(at)
            if number == 1 and when is not None:
                return buyers.of(params, at, scope, when)
            if number > 1 and when == {} and not params["product"]:
                return buyers.of_at_least(number, params, self.rows(params, at, scope), scope)
        return super().at_least(number, params, at, scope)

    def exactly(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if self._are_all(params, scope):
            return Q(engagement__order_count=number)
        if buyers.are_kept(params, scope):
            return self.at_least(number, params, at, scope) & ~self.at_least(number + 1, params, at, scope)
        return super().exactly(number, params, at, scope)

    def _are_all(self, params: dict[str, Any], scope: Scope) -> bool:
        return scope.current and span_of(params).is_ever and not goods.are_named(params)

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined("bought", goods.in_words(params), often, span_of(params).words)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return _told(value)


@conditions.register
class NotOrdered(Condition):
    """Who placed no order: of anything or of certain goods; ever, in the last days, or between two days.
    People who never bought at all are among them; "Last order" speaks of those who did.
    """

    key = "crm.not_ordered"
    label = "Did not buy"
    group = GROUP

    class Params(GoodsForm, SpanForm):
        """What not, and when not."""

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        span = span_of(params)
        if scope.current and span.is_ever and not goods.are_named(params):
            return ~Q(engagement__order_count__gte=1)
        when = span.one_sided(at)
        if when is not None and buyers.are_kept(params, scope):
            return ~buyers.of(params, at, scope, when)
        return ~Q(Exists(self._orders(params, at, scope).filter(span.q(at))))

    def sentence(self, params: dict[str, Any]) -> str:
        span = span_of(params)
        did_not = "never bought" if span.is_ever else "did not buy"
        return words.joined(did_not, goods.in_words(params) or "anything", span.words)

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        last = self._orders(params, at, scope).order_by("-occurred_at")
        return Subquery(last.values("occurred_at")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"last bought on {words.day(value)}" if value else "bought never"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return span_of(params).passed(Order.objects.all(), since, at)

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        return "" if wanted else words.joined("an order", goods.about(params), span_of(params).words)

    def _orders(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        return of_goods(params, orders_known(at, current=scope.current).filter(contact_id=OuterRef("pk")))


@conditions.register
class OrderedSinceEntering(Ordering):
    """Who placed orders after entering the campaign that asks: its usual end, and its usual aim."""

    key = "crm.ordered_since_entering"
    label = "Bought since entering"
    needs = frozenset({ENTERED_AT})

    class Params(OftenForm, GoodsForm):
        field_order = ("which", "times")

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        orders = orders_known(at, current=scope.current)
        return of_goods(params, orders.filter(occurred_at__gte=scope.inside.entered_at))

    def at_least(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if number == 1:
            return super().at_least(number, params, at, scope)
        return Q(GreaterThanOrEqual(self._number(params, at, scope), number))

    def exactly(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exact(self._number(params, at, scope), number))

    def _number(self, params: dict[str, Any], at: datetime, scope: Scope) -> Coalesce:
        """Everybody entered at a moment of their own: their orders are counted one person at a time."""
        mine = self.rows(params, at, scope).filter(contact_id=OuterRef("pk"))
        counted = mine.order_by().values("contact_id").annotate(number=Count("pk")).values("number")
        return Coalesce(Subquery(counted), 0)

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined("bought", goods.in_words(params), often, "since entering")

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return _told(value)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        return words.joined("order", goods.about(params)), words.joined("orders", goods.about(params))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return []


CHANNELS = {"web": "on the web", "phone": "by phone", "store": "in a store"}


@conditions.register
class OrderedBy(Ordering):
    """Who placed orders on the web, by phone or in a store, so many times within a stretch of time."""

    key = "crm.ordered_by"
    label = "Bought by way of"

    class Params(OftenForm, SpanForm):
        channel = forms.ChoiceField(label="how", choices=list(CHANNELS.items()))
        field_order = ("channel",)

    def sort(self, params: dict[str, Any], orders: QuerySet[Order]) -> QuerySet[Order]:
        return orders.filter(channel=params["channel"])

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined("bought", CHANNELS[params["channel"]], often, span_of(params).words)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        how = words.joined(CHANNELS[params["channel"]], span_of(params).words)
        return f"order {how}", f"orders {how}"
