"""Conditions about the day of the year an order was placed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.conditions import goods, words
from crm.conditions.goods import GoodsForm
from crm.conditions.purchases import GROUP, of_goods, orders_known
from crm.conditions.spans import begins
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Order
from crm.shop.settings import shop_zone

FURTHEST = 20
NEXT, LAST = "next", "last"


@conditions.register
class OrderAnniversary(Condition):
    """Whose order a year ago, or so many years, has its day again within the next or the last days, today
    counted: last year's gift, last season's tyres. Days are the shop's; what was bought on 29 February has
    its day on the 28th of other years.
    """

    key = "crm.order_anniversary"
    label = "Anniversary of an order"
    group = GROUP

    class Params(GoodsForm):
        which = forms.ChoiceField(
            label="within the", choices=[(NEXT, "next … days"), (LAST, "last … days")], initial=NEXT
        )
        days = forms.IntegerField(label="days", min_value=0, max_value=180, initial=14)
        years = forms.IntegerField(
            label="years ago", min_value=1, max_value=FURTHEST, required=False, help_text="Blank: any number."
        )
        field_order = ("which", "days", "years")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(self._orders(params, at, scope)))

    def sentence(self, params: dict[str, Any]) -> str:
        which, days = params["which"], params["days"]
        years = f"({words.counted(params['years'], 'year')})" if params["years"] else ""
        when = f"within the {which} {words.counted(days, 'day')}" if days else "today"
        verb = "was" if which == LAST and days else "is"
        return words.joined("placed an order", goods.about(params), "whose anniversary", years, verb, when)

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        mine = self._orders(params, at, scope).order_by().values("contact_id")
        told = JSONObject(first=Min("occurred_at"), last=Max("occurred_at"))
        return Subquery(mine.annotate(told=told).values("told"))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "no such order"
        first, last = words.day(value["first"]), words.day(value["last"])
        return f"ordered on {last}" if first == last else f"ordered between {first} and {last}"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        """Whoever ordered on a day that came into the stretch, or fell out of it, since."""
        moved = Q()
        before = dict(self._stretches(params, since))
        for years, (begin, end) in self._stretches(params, at):
            was_begin, was_end = before[years]
            if (begin, end) != (was_begin, was_end):
                moved |= Q(occurred_at__gte=was_begin, occurred_at__lt=begin)
                moved |= Q(occurred_at__gte=was_end, occurred_at__lt=end)
        return [Order.objects.filter(moved).order_by().values("contact_id")] if moved else []

    def _orders(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        within = Q()
        for _, (begin, end) in self._stretches(params, at):
            within |= Q(occurred_at__gte=begin, occurred_at__lt=end)
        orders = orders_known(at, current=scope.current).filter(within, contact_id=OuterRef("pk"))
        return of_goods(params, orders)

    def _stretches(
        self, params: dict[str, Any], at: datetime
    ) -> Iterator[tuple[int, tuple[datetime, datetime]]]:
        """For each number of years: from when to when the orders were placed that have their day now."""
        today = at.astimezone(shop_zone()).date()
        days = timedelta(days=params["days"])
        first, last = (today, today + days) if params["which"] == NEXT else (today - days, today)
        for years in [params["years"]] if params["years"] else range(1, FURTHEST + 1):
            yield years, (begins(_since(first, years)), begins(_since(last + timedelta(days=1), years)))


def _since(anniversary: date, years: int) -> date:
    """The first day whose anniversary falls on this day or later."""
    try:
        return anniversary.replace(year=anniversary.year - years)
    except ValueError:
        return date(anniversary.year - years, 3, 1)
