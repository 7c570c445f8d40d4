"""Conditions about when a person ordered first and last, and how long it took them to come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import JSONObject, Lead, RowNumber

from crm.conditions import buyers, goods, words
from crm.conditions.goods import GoodsForm
from crm.conditions.purchases import GROUP, of_goods, orders_known
from crm.conditions.spans import begins, turned
from crm.conditions.words import LEAST, MOST
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Order
from crm.people.among import among

WITHIN, AGO, FROM, BEFORE = "within", "ago", "from", "before"


class MomentForm(GoodsForm):
    """Which moment: counted back from now in days, or by a day of the calendar."""

    which = forms.ChoiceField(
        label="was",
        choices=[
            (WITHIN, "within the last … days"),
            (AGO, "at least … days ago"),
            (FROM, "on the day … or later"),
            (BEFORE, "before the day …"),
        ],
        initial=AGO,
    )
    days = forms.IntegerField(label="days", min_value=1, max_value=36_500, required=False, initial=90)
    day = forms.DateField(
        label="day", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    field_order = ("which", "days", "day")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        needed = "days" if cleaned.get("which") in (WITHIN, AGO) else "day"
        if cleaned.get("which") and not cleaned.get(needed) and needed not in self.errors:
            self.add_error(needed, "say how many days" if needed == "days" else "say which day")
        return cleaned


class OrderMoment(Condition):
    """The first or the last order of a person, on this side of an instant or on the other."""

    group = GROUP
    place = ""
    column = ""

    class Params(MomentForm):
        """When it was, and of what."""

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        is_later, side = self._side(params, at)
        if scope.current and not goods.are_named(params):
            return Q(**{f"engagement__{self.column}__{side[is_later]}": self._border(params, at)})
        sides = [{f"occurred_at__{one}": self._border(params, at)} for one in (side[True], side[False])]
        if buyers.are_kept(params, scope):
            later, earlier = (buyers.of(params, at, scope, when) for when in sides)
        else:
            orders = self._orders(params, at, scope)
            later, earlier = (Q(Exists(orders.filter(**when))) for when in sides)
        return self.sided(later, earlier, is_later=is_later)

    def sided(self, later: Q, earlier: Q, *, is_later: bool) -> Q:
        """Whose order of the place lies on the side asked for, given who ordered on either."""
        raise NotImplementedError(f"{type(self).__name__} is neither the first nor the last")

    def sentence(self, params: dict[str, Any]) -> str:
        return words.joined(f"{self.place} bought", goods.in_words(params), self._when(params))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        extreme = Max if self.place == "last" else Min
        mine = self._orders(params, at, scope).order_by().values("contact_id")
        return Subquery(mine.annotate(moment=extreme("occurred_at")).values("moment"))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"{self.place} bought on {words.day(value)}" if value else "bought never"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        if params["which"] not in (WITHIN, AGO):
            return []
        return [turned(Order.objects.all(), params["days"], since, at)]

    def _when(self, params: dict[str, Any]) -> str:
        match params["which"]:
            case "within":
                return f"within the last {words.counted(params['days'], 'day')}"
            case "ago":
                return f"at least {words.counted(params['days'], 'day')} ago"
            case "from":
                return f"on {words.day(params['day'])} or later"
            case _:
                return f"before {words.day(params['day'])}"

    def _side(self, params: dict[str, Any], at: datetime) -> tuple[bool, dict[bool, str]]:
        """Whether the later side is asked for, and the comparisons for later and earlier: so many days ago
        to the second is still *ago*; the first second of a day is *that day or later*.
        """
        by_age = params["which"] in (WITHIN, AGO)
        side = {True: "gt", False: "lte"} if by_age else {True: "gte", False: "lt"}
        return params["which"] in (WITHIN, FROM), side

    def _border(self, params: dict[str, Any], at: datetime) -> datetime:
        if params["which"] in (WITHIN, AGO):
            return at - timedelta(days=params["days"])
        return begins(params["day"])

    def _orders(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        return of_goods(params, orders_known(at, current=scope.current).filter(contact_id=OuterRef("pk")))


@conditions.register
class LastOrder(OrderMoment):
    """Who has bought, and when it was the last time: "at least 90 days ago" means they bought before and
    nothing since. Who never bought has no last order and is not meant.
    """

    key = "crm.last_order"
    label = "Last order"
    place = "last"
    column = "last_order_at"

    def sided(self, later: Q, earlier: Q, *, is_later: bool) -> Q:
        return later if is_later else earlier & ~later


@conditions.register
class FirstOrder(OrderMoment):
    """Who has bought, and when it was the first time: new customers of these days, or old ones. Who never
    bought is not meant.
    """

    key = "crm.first_order"
    label = "First order"
    place = "first"
    column = "first_order_at"

    def sided(self, later: Q, earlier: Q, *, is_later: bool) -> Q:
        return later & ~earlier if is_later else earlier


@conditions.register
class OrderGap(Condition):
    """How long before their last order the one before it was: who came back after a long pause, or who buys
    again soon. Who ordered only once is not meant.
    """

    key = "crm.order_gap"
    label = "Pause before the last order"
    group = GROUP

    class Params(forms.Form):
        which = forms.ChoiceField(label="was", choices=[(LEAST, "at least"), (MOST, "at most")])
        days = forms.IntegerField(label="days", min_value=1, max_value=36_500)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        pause = F("occurred_at") - timedelta(days=params["days"])
        asked = "before__lte" if params["which"] == LEAST else "before__gte"
        orders = scope.narrowed(orders_known(at, current=scope.current))
        newest = self._with_the_one_before(orders).filter(place=1, **{asked: pause})
        return among(newest.order_by().values("contact_id"))

    def sentence(self, params: dict[str, Any]) -> str:
        how = "after a pause of at least" if params["which"] == LEAST else "again within"
        return f"bought {how} {words.counted(params['days'], 'day')}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        orders = orders_known(at, current=scope.current).filter(contact_id=OuterRef("pk"))
        newest = self._with_the_one_before(orders).order_by("place")
        return Subquery(newest.values(told=JSONObject(last="occurred_at", before="before"))[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "bought never"
        if not value["before"]:
            return f"bought once, on {words.day(value['last'])}"
        pause = datetime.fromisoformat(value["last"]) - datetime.fromisoformat(value["before"])
        last = words.day(value["last"])
        return f"last bought on {last}, {words.counted(pause.days, 'day')} after the order before"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return []

    def _with_the_one_before(self, orders: QuerySet[Order]) -> QuerySet[Any]:
        newest_first: dict[str, Any] = {"partition_by": "contact_id", "order_by": ("-occurred_at", "-id")}
        return orders.annotate(
            place=Window(RowNumber(), **newest_first), before=Window(Lead("occurred_at"), **newest_first)
        )
