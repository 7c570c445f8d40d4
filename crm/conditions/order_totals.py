"""Conditions about what a person's orders add up to: how many, how much, how much each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Avg, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value

from crm.conditions import words
from crm.conditions.purchases import GROUP, MONEY, orders_known, paid
from crm.conditions.spans import SpanForm, span_of
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Order
from crm.people.among import among


class RangeForm(SpanForm):
    """At least, at most, or both."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        lower, upper = cleaned.get("at_least"), cleaned.get("at_most")
        if lower is None and upper is None and not self.errors:
            self.add_error("at_least", "say at least how much, or at most, or both")
        if lower is not None and upper is not None and lower > upper:
            self.add_error("at_most", "this is less than the least")
        return cleaned


class AmountForm(RangeForm):
    """An amount of money, in the shop's currency."""

    at_least = forms.DecimalField(
        label="at least", min_value=Decimal("0.01"), max_digits=12, decimal_places=2, required=False
    )
    at_most = forms.DecimalField(
        label="at most", min_value=0, max_digits=12, decimal_places=2, required=False
    )
    field_order = ("at_least", "at_most")


class Total(Condition):
    """One number made of all orders of a person within a stretch of time."""

    group = GROUP

    def total(self, at: datetime, scope: Scope) -> Any:
        """The aggregate over the orders of one person."""
        raise NotImplementedError(f"{type(self).__name__} adds up nothing")

    def is_within(self, params: dict[str, Any], people: QuerySet[Any]) -> Q:
        """Contacts whose total lies in the range; those without any order have a total of nothing."""
        lower, upper = params["at_least"], params["at_most"]
        if not lower:
            return ~among(people.filter(total__gt=upper).values("contact_id"))
        inside = {"total__gte": lower} if upper is None else {"total__gte": lower, "total__lte": upper}
        return among(people.filter(**inside).values("contact_id"))

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        orders = scope.narrowed(self._orders(params, at, scope)).order_by().values("contact_id")
        return self.is_within(params, orders.annotate(total=self.total(at, scope)))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        mine = self._orders(params, at, scope).filter(contact_id=OuterRef("pk")).order_by()
        return Subquery(mine.values("contact_id").annotate(total=self.total(at, scope)).values("total"))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return span_of(params).passed(Order.objects.all(), since, at)

    def missing(self, params: dict[str, Any], value: Any, *, wanted: bool) -> Any:
        """By how much the total would have to rise (or fall, below nought) to turn the verdict."""
        has, lower, upper = value or 0, params["at_least"], params["at_most"]
        if wanted:
            return lower - has if lower is not None and has < lower else upper - has
        return 0

    def _orders(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        return orders_known(at, current=scope.current).filter(span_of(params).q(at))


@conditions.register
class OrderCount(Total):
    """Who placed a number of orders between two bounds; ever, in the last days, or between two days."""

    key = "crm.order_count"
    label = "Number of orders"

    class Params(RangeForm):
        at_least = forms.IntegerField(label="at least", min_value=1, max_value=100_000, required=False)
        at_most = forms.IntegerField(
            label="at most",
            min_value=0,
            max_value=100_000,
            required=False,
            help_text="Counts those who never bought, too, unless a least is given.",
        )
        field_order = ("at_least", "at_most")

    def total(self, at: datetime, scope: Scope) -> Any:
        return Count("pk")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if not (scope.current and span_of(params).is_ever):
            return super().q(params, at, scope)
        inside = Q()
        if params["at_least"]:
            inside &= Q(engagement__order_count__gte=params["at_least"])
        if params["at_most"] is not None:
            inside &= ~Q(engagement__order_count__gt=params["at_most"])
        return inside

    def sentence(self, params: dict[str, Any]) -> str:
        lower, upper = params["at_least"], params["at_most"]
        number = "no order" if upper == 0 else f"{words.between(lower, upper)} orders"
        if upper != 0 and (upper or lower) == 1:
            number = number.removesuffix("s")
        return words.joined("placed", number, span_of(params).words)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return words.counted(value, "order") if value else "no order"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        more = self.missing(params, value, wanted=wanted)
        if more > 0:
            return words.joined(words.counted(more, "more order"), span_of(params).words)
        return words.counted(-more, "order fewer", "orders fewer") if more else ""


@conditions.register
class Spent(Total):
    """Who paid at least or at most so much in all, refunds taken off; ever, in the last days, or between two
    days. Who never bought spent nothing.
    """

    key = "crm.spent"
    label = "Spent"

    class Params(AmountForm):
        """How much, and when."""

    def total(self, at: datetime, scope: Scope) -> Any:
        return Sum(paid(at, current=scope.current), output_field=MONEY)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if not (scope.current and span_of(params).is_ever):
            return super().q(params, at, scope)
        inside = Q()
        if params["at_least"]:
            inside &= Q(engagement__spent__gte=params["at_least"])
        if params["at_most"] is not None:
            inside &= ~Q(engagement__spent__gt=params["at_most"])
        return inside

    def sentence(self, params: dict[str, Any]) -> str:
        amount = words.between(params["at_least"], params["at_most"], words.money)
        return words.joined("spent", amount, span_of(params).words)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"spent {words.money(value or Decimal(0))}"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        more = self.missing(params, value, wanted=wanted)
        if more > 0:
            return words.joined(f"{words.money(more)} more spent", span_of(params).words)
        return f"{words.money(-more)} less spent" if more else ""


@conditions.register
class AverageOrder(Total):
    """Whose orders come to so much on average, refunds taken off. Who never bought has no average."""

    key = "crm.average_order"
    label = "Average order"

    class Params(AmountForm):
        """How much, and of which orders."""

    def total(self, at: datetime, scope: Scope) -> Any:
        return Avg(paid(at, current=scope.current), output_field=MONEY)

    def is_within(self, params: dict[str, Any], people: QuerySet[Any]) -> Q:
        if params["at_least"]:
            people = people.filter(total__gte=params["at_least"])
        if params["at_most"] is not None:
            people = people.filter(total__lte=params["at_most"])
        return among(people.values("contact_id"))

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if not (scope.current and span_of(params).is_ever):
            return super().q(params, at, scope)
        number = F("engagement__order_count")
        inside = Q(engagement__order_count__gt=0)
        if params["at_least"]:
            inside &= Q(engagement__spent__gte=number * Value(params["at_least"], MONEY))
        if params["at_most"] is not None:
            inside &= Q(engagement__spent__lte=number * Value(params["at_most"], MONEY))
        return inside

    def sentence(self, params: dict[str, Any]) -> str:
        amount = words.between(params["at_least"], params["at_most"], words.money)
        return words.joined("spent", amount, "an order on average", span_of(params).words)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return "bought never" if value is None else f"{words.money(value)} an order"
