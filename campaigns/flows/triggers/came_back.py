"""Somebody is seen in the shop again, after a long time of nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign, Enrolment
from crm.conditions.words import counted
from crm.models import Order
from tracking.models import Visit

LONGEST_LOOK_BACK = timedelta(hours=6)


@triggers.register
class CameBack(Trigger):
    """Lets in whoever visits the shop again after so many days without a visit and without an order.

    Only people who had been there before come *back*: whoever is known but was never seen does not, and a
    first visit is no return. One run a person in the campaign's re-entry time; an order from the visit on
    ends it.
    """

    key = "campaigns.came_back"
    label = "Came back to the shop"
    group = "Shop"
    is_recorded = True
    subject_kind = "visit"

    class Params(forms.Form):
        away_days = forms.IntegerField(
            label="after so many days away",
            min_value=1,
            max_value=3650,
            initial=30,
            help_text="A month: sooner it is their usual way of shopping, not a return.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        rows = self._due(params, campaign, now).order_by("started_at", "pk")[:limit]

        def entrant(visit: Any) -> Entrant:
            return Entrant(
                contact_id=visit.contact_id,
                entry=f"came_back:{visit.pk}",
                qualified_at=visit.started_at,
                subject_kind=self.subject_kind,
                subject_id=visit.pk,
                is_test=visit.contact_is_test,
                evidence={"came_back": visit.started_at.isoformat(), "away_days": params["away_days"]},
            )

        return forward.one_each(rows, entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        visit = Visit.objects.filter(contact_id=contact_id).order_by("-started_at").first()
        if visit is None:
            return None
        return Entrant(contact_id, f"try:visit:{visit.pk}", now, self.subject_kind, visit.pk, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"Came back to the shop after {counted(params['away_days'], 'day')} of nothing"

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = forward.since(campaign, now, campaign.expires_after or LONGEST_LOOK_BACK)
        away = ExpressionWrapper(
            OuterRef("started_at") - Value(timedelta(days=params["away_days"])), DateTimeField()
        )
        before = Visit.objects.filter(contact=OuterRef("contact"), started_at__lt=OuterRef("started_at"))
        orders = Order.objects.filter(contact=OuterRef("contact"), occurred_at__lt=OuterRef("started_at"))
        runs = Enrolment.objects.filter(campaign=campaign, contact=OuterRef("contact"))
        found = (
            Visit.objects.filter(started_at__gt=since, started_at__lte=now)
            .annotate(contact_is_test=F("contact__is_test"))
            .filter(
                ~Exists(before.filter(ended_at__gt=away)),
                ~Exists(orders.filter(occurred_at__gt=away)),
                Q(Exists(before)) | Q(Exists(orders)),
                ~Exists(runs.filter(entered_at__gte=OuterRef("started_at"))),
                ~Exists(forward.entered_since(campaign, "started_at")),
                contact__merged_into=None,
            )
        )
        return may_enter(found, campaign, now, self.subject_kind)
