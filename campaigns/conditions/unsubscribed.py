"""The condition about having had enough of a message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast

from campaigns.conditions.messages import GROUP, SinceForm, last_days, of_campaign
from campaigns.models import Delivery
from crm.conditions import words
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import ConsentEvent, ContactPoint


@conditions.register
class Unsubscribed(Condition):
    """Who unsubscribed by the link of a message, or took something off on their preferences page, within the
    last days.
    """

    key = "campaigns.unsubscribed"
    label = "Unsubscribed by a message"
    group = GROUP

    class Params(SinceForm):
        """By messages of which campaign, since when."""

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        said = self._said(params, at).filter(address_hash=OuterRef("address_hash"))
        mine = ContactPoint.objects.filter(contact_id=OuterRef("pk"))
        return Q(Exists(mine.filter(Exists(said))))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"unsubscribed by a message{of_campaign(params)} {last_days(params)}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        mine = ContactPoint.objects.filter(contact_id=OuterRef(OuterRef("pk"))).values("address_hash")
        said = self._said(params, at).filter(address_hash__in=mine).order_by().values("action")
        return Subquery(said.annotate(last=Max("occurred_at")).values("last"))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"last on {words.day(value)}" if value else "has not"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        age = timedelta(days=params["days"])
        aged = ConsentEvent.objects.filter(occurred_at__gt=since - age, occurred_at__lte=at - age)
        said = aged.filter(action=ConsentEvent.Action.WITHDRAWN).order_by().values("address_hash")
        points = ContactPoint.objects.filter(address_hash__in=said)
        return [points.order_by().values("contact_id")]

    def _said(self, params: dict[str, Any], at: datetime) -> QuerySet[ConsentEvent]:
        said = ConsentEvent.objects.filter(
            action=ConsentEvent.Action.WITHDRAWN,
            source_kind__in=["unsubscribe", "preferences"],
            recorded_at__lte=at,
            occurred_at__lte=at,
            occurred_at__gt=at - timedelta(days=params["days"]),
        )
        if params["campaign"]:
            messages = Delivery.objects.filter(campaign=params["campaign"])
            named = messages.annotate(named=Cast("public_id", TextField())).values("named")
            said = said.filter(detail__source_ref__in=named)
        return said
