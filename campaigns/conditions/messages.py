"""Conditions about messages: what somebody was sent, and what they did with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from campaigns.models import Campaign, Delivery, DeliveryState
from crm.kernel.rules import Condition, Scope, conditions
from tracking.models import Actor, Event, EventKind

HUMANS = [Actor.HUMAN, Actor.LIKELY_HUMAN]
CLICKS = [EventKind.CLICK, EventKind.LANDING]


class _Campaigns(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, empty_label="any campaign", label="of"
    )
    days = forms.IntegerField(label="in the last days", min_value=1, max_value=3650, initial=30)


class _Counted(_Campaigns):
    times = forms.IntegerField(label="at least times", min_value=1, max_value=1000, initial=1)


def _of(params: dict[str, Any]) -> str:
    return f" of “{params['campaign']}”" if params["campaign"] else ""


def _days(params: dict[str, Any]) -> str:
    return f"in the last {params['days']} day{'' if params['days'] == 1 else 's'}"


def _times(params: dict[str, Any]) -> str:
    return f" at least {params['times']} times" if params["times"] > 1 else ""


@conditions.register
class Received(Condition):
    """True of people to whom at least so many messages were sent within the last days."""

    key = "campaigns.received"
    label = "Was sent a message"
    group = "Messages"

    class Params(_Counted):
        """Of which campaign, how often, since when."""

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(self._groups(params, at).filter(number__gte=params["times"])))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"were sent a message{_of(params)}{_times(params)} {_days(params)}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        number = Subquery(self._groups(params, at).values("number"), output_field=IntegerField())
        return Coalesce(number, 0)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"{value} sent"

    def _groups(self, params: dict[str, Any], at: datetime) -> QuerySet[Any]:
        sent = Delivery.objects.filter(
            contact_id=OuterRef("pk"),
            origin=Delivery.Origin.FLOW,
            state=DeliveryState.SENT,
            finished_at__lte=at,
            finished_at__gt=at - timedelta(days=params["days"]),
        )
        if params["campaign"]:
            sent = sent.filter(campaign=params["campaign"])
        return sent.order_by().values("contact_id").annotate(number=Count("pk"))


@conditions.register
class Clicked(Condition):
    """True of people who clicked in a message themselves (no scanner) within the last days."""

    key = "campaigns.clicked"
    label = "Clicked in a message"
    group = "Messages"

    class Params(_Campaigns):
        """Of which campaign, since when."""

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(self._clicks(params, at)))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"clicked in a message{_of(params)} {_days(params)}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        last = self._clicks(params, at).order_by().values("contact").annotate(last=Max("occurred_at"))
        return Subquery(last.values("last"))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"last clicked on {value:%-d %B %Y}" if value else "never clicked"

    def _clicks(self, params: dict[str, Any], at: datetime) -> QuerySet[Event]:
        clicks = Event.objects.filter(
            contact=OuterRef("pk"),
            kind__in=CLICKS,
            actor__in=HUMANS,
            ref__isnull=False,
            occurred_at__lte=at,
            occurred_at__gt=at - timedelta(days=params["days"]),
            recorded_at__lte=at,
        )
        if params["campaign"]:
            clicks = clicks.filter(
                Exists(Delivery.objects.filter(public_id=OuterRef("ref"), campaign=params["campaign"]))
            )
        return clicks
