"""The condition about messages that somebody got and left alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual

from campaigns.conditions.messages import CLICKS, GROUP, HUMANS
from campaigns.models import Delivery, DeliveryState
from crm.conditions import words
from crm.kernel.rules import ENTERED_AT, Condition, Scope, conditions
from tracking.models import Event, EventKind


@conditions.register
class LeftAlone(Condition):
    """Who was sent so many messages in a row since they entered the campaign that asks, and neither clicked
    in anything nor answered since the first of them. A message counts once there was time for that.
    Messages of other campaigns count, too.
    """

    key = "campaigns.left_alone"
    label = "Left messages alone since entering"
    group = GROUP
    needs = frozenset({ENTERED_AT})

    class Params(forms.Form):
        times = forms.IntegerField(label="messages in a row", min_value=1, max_value=100, initial=4)
        days = forms.IntegerField(
            label="each sent so many days ago or more",
            min_value=0,
            max_value=90,
            initial=2,
            help_text="Two: most who click or answer at all do so by then.",
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(GreaterThanOrEqual(Coalesce(_in_a_row(params, at, scope), 0), params["times"]))

    def sentence(self, params: dict[str, Any]) -> str:
        return (
            f"left their last {words.counted(params['times'], 'message')} since entering alone for "
            f"{words.counted(params['days'], 'day')}"
        )

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return _in_a_row(params, at, scope)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"{value or 0} in a row without a click or an answer"


def _in_a_row(params: dict[str, Any], at: datetime, scope: Scope) -> Subquery:
    answered = Event.objects.filter(
        kind__in=[*CLICKS, EventKind.REPLY],
        actor__in=HUMANS,
        contact_id=OuterRef("contact_id"),
        occurred_at__gte=OuterRef("finished_at"),
        occurred_at__lte=at,
        recorded_at__lte=at,
    )
    sent = Delivery.objects.filter(
        ~Exists(answered),
        origin=Delivery.Origin.FLOW,
        state=DeliveryState.SENT,
        contact_id=OuterRef("pk"),
        finished_at__gte=scope.inside.entered_at,
        finished_at__lte=at - timedelta(days=params["days"]),
    )
    return Subquery(sent.order_by().values("contact_id").annotate(number=Count("pk")).values("number"))
