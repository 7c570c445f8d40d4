"""Conditions about what became of a message: bought after it, or clicked and did not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import (
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)

from campaigns.conditions.messages import (
    GROUP,
    MessageForm,
    Messages,
    clicked_by_people,
    last_days,
    of_campaign,
)
from campaigns.models import Campaign, Delivery, OrderCredit
from crm.conditions import words
from crm.conditions.purchases import orders_known
from crm.conditions.spans import turned
from crm.kernel.rules import Condition, Scope, conditions
from tracking.models import Event


@conditions.register
class BoughtAfter(Messages):
    """Whose orders are credited to a message: the last one clicked within five days before, or whose link
    brought the cart back. So many times within the last days.
    """

    key = "campaigns.bought_after"
    label = "Bought after a message"
    done = "bought after a message"
    moment = "ordered_at"

    class Params(MessageForm):
        """Of which campaign, how often, since when."""

    def sort(self, params: dict[str, Any], at: datetime) -> QuerySet[OrderCredit]:
        credits = OrderCredit.objects.all()
        return credits.filter(campaign=params["campaign"]) if params["campaign"] else credits

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        about = f"credited to a message{of_campaign(params)} {last_days(params)}"
        return f"order {about}", f"orders {about}"


BOUGHT, NOT = "bought", "not"


@conditions.register
class ClickedThen(Condition):
    """Who clicked in a message themselves, and bought within some days of it; or had those days and did not.
    Whatever they bought counts, wherever.
    """

    key = "campaigns.clicked_then"
    label = "Clicked, and bought or did not"
    group = GROUP

    class Params(forms.Form):
        campaign = forms.ModelChoiceField(
            Campaign.objects.all(), required=False, empty_label="any campaign", label="of"
        )
        days = forms.IntegerField(label="clicked in the last days", min_value=1, max_value=3650, initial=30)
        then = forms.ChoiceField(label="and", choices=[(NOT, "did not buy"), (BOUGHT, "bought")])
        within = forms.IntegerField(label="within days of the click", min_value=1, max_value=365, initial=3)
        field_order = ("campaign", "days", "then", "within")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        clicks = self._clicks(params, at)
        orders = orders_known(at, current=scope.current).filter(
            contact_id=OuterRef("contact_id"),
            occurred_at__gte=OuterRef("occurred_at"),
            occurred_at__lte=_later(OuterRef("occurred_at"), params["within"]),
        )
        bought = Q(Exists(clicks.filter(Exists(orders))))
        if params["then"] == BOUGHT:
            return bought
        had_time = clicks.filter(occurred_at__lte=at - timedelta(days=params["within"]))
        return Q(Exists(had_time)) & ~bought

    def sentence(self, params: dict[str, Any]) -> str:
        then = "bought" if params["then"] == BOUGHT else "did not buy"
        within = words.counted(params["within"], "day")
        return (
            f"clicked in a message{of_campaign(params)} {last_days(params)} and {then} within {within} of it"
        )

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        last = self._clicks(params, at).order_by().values("contact_id").annotate(last=Max("occurred_at"))
        return Subquery(last.values("last"))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"last clicked on {words.day(value)}" if value else "never clicked"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        clicks = Event.objects.filter(clicked_by_people(), ref__isnull=False)
        return [turned(clicks, params["days"], since, at), turned(clicks, params["within"], since, at)]

    def _clicks(self, params: dict[str, Any], at: datetime) -> QuerySet[Event]:
        clicks = Event.objects.filter(
            clicked_by_people(),
            contact_id=OuterRef("pk"),
            ref__isnull=False,
            occurred_at__lte=at,
            occurred_at__gt=at - timedelta(days=params["days"]),
            recorded_at__lte=at,
        )
        if params["campaign"]:
            messages = Delivery.objects.filter(public_id=OuterRef("ref"), campaign=params["campaign"])
            clicks = clicks.filter(Exists(messages))
        return clicks


def _later(moment: Any, days: int) -> ExpressionWrapper:
    by = Value(timedelta(days=days), output_field=DurationField())
    return ExpressionWrapper(moment + by, output_field=DateTimeField())
