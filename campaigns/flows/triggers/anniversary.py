"""An order has its day again: last year's gift, last season's tyres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign
from crm.conditions.anniversaries import FURTHEST
from crm.conditions.goods import Offering
from crm.conditions.words import counted
from crm.kernel.rules.compiling import verdict
from crm.models import Order, OrderLine
from crm.shop.settings import this_shop

LONGEST_LOOK_BACK = timedelta(days=3)
# Two orders of one season have their days in one season, too: the first of them is enough.
ONCE_IN = timedelta(days=330)
_DAY = timedelta(days=1)


@triggers.register
class Anniversary(Trigger):
    """Lets in whoever placed an order that soon has its day again, a year or several years later: so many
    days before, at the hour of the order. The flow is about that order.

    Days are the shop's; what was bought on 29 February has its day on the 28th of other years. A cancelled or
    refunded order has none. Once a year a person, for the order whose day comes first.
    """

    key = "campaigns.anniversary"
    label = "An order has its day again"
    group = "Shop"
    is_recorded = True
    subject_kind = "order"
    lift_days = 30

    class Params(forms.Form):
        days_before = forms.IntegerField(
            label="days before the day",
            min_value=0,
            max_value=180,
            initial=14,
            help_text="Two weeks: time enough to choose and to deliver.",
        )
        category = forms.CharField(
            label="of an order in the category",
            max_length=200,
            required=False,
            widget=Offering("category"),
            help_text="Gifts and what belongs to a season. Blank: any order.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        days = timedelta(days=params["days_before"])

        def entrant(order: Any) -> Entrant:
            return Entrant(
                contact_id=order.contact_id,
                entry=f"anniversary:{order.pk}:{order.due_at + days:%Y}",
                qualified_at=order.due_at,
                subject_kind=self.subject_kind,
                subject_id=order.pk,
                is_test=order.contact_is_test,
                evidence={
                    "order": str(order),
                    "ordered_at": order.occurred_at.isoformat(),
                    "years": order.years,
                    "day": (order.due_at + days).date().isoformat(),
                },
            )

        return forward.one_each(self._due(params, campaign, now).order_by("due_at", "pk")[:limit], entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        order = _in(params["category"], _orders().filter(contact=contact_id)).order_by("-occurred_at").first()
        if order is None:
            return None
        return Entrant(contact_id, f"try:order:{order.pk}", now, self.subject_kind, order.pk, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        about = f" in {params['category']}" if params["category"] else ""
        return f"An order{about} has its day again in {counted(params['days_before'], 'day')}"

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        days = timedelta(days=params["days_before"])
        zone = this_shop().time_zone
        stretches = {years: _stretch(since, now, days, years, zone) for years in range(1, FURTHEST + 1)}
        placed = Q()
        for stretch in stretches.values():
            placed |= stretch
        years = [When(stretch, then=Value(count)) for count, stretch in stretches.items()]
        orders = _in(params["category"], _orders().filter(placed, contact__merged_into=None))
        found = orders.annotate(
            years=Case(*years, output_field=IntegerField()), contact_is_test=F("contact__is_test")
        ).annotate(due_at=_day_again("occurred_at", "years", days, zone))
        found = found.filter(
            ~Exists(forward.entered_since(campaign, "due_at", ONCE_IN)), due_at__gt=since, due_at__lte=now
        )
        return may_enter(found, campaign, now, self.subject_kind)


def _orders() -> QuerySet[Order]:
    return Order.objects.exclude(status__in=[Order.Status.CANCELLED, Order.Status.REFUNDED])


def _in(category: str, orders: QuerySet[Order]) -> QuerySet[Order]:
    if not category:
        return orders
    lines = OrderLine.objects.filter(order=OuterRef("pk"), contact=OuterRef("contact"))
    # Asked of the few orders whose day comes, not first of everything ever sold in the category.
    return orders.filter(verdict(Q(Exists(lines.filter(product__category__iexact=category)))))


def _stretch(since: datetime, now: datetime, days: timedelta, years: int, zone: str) -> Q:
    """Orders so many years old whose day may come now: a little wider than it is, for leap days and summer
    time; the exact moment is asked for beside it.
    """
    first, last = ((moment + days).astimezone(ZoneInfo(zone)) for moment in (since, now))
    return Q(occurred_at__gt=_years_before(first, years) - 2 * _DAY) & Q(
        occurred_at__lte=_years_before(last, years) + 2 * _DAY
    )


def _years_before(moment: datetime, years: int) -> datetime:
    day = min(moment.day, 28) if moment.month == 2 else moment.day
    return moment.replace(year=moment.year - years, day=day)


def _day_again(moment: str, years: str, before: timedelta, zone: str) -> Func:
    """The moment so many years later by the shop's calendar and clock, so many days before it."""
    local = Func(Value(zone), F(moment), function="timezone", output_field=DateTimeField())
    later = Func(F(years), function="make_interval", output_field=DurationField())
    again = ExpressionWrapper(local + later - Value(before), output_field=DateTimeField())
    return Func(Value(zone), again, function="timezone", output_field=DateTimeField())
