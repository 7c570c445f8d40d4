"""Somebody clicked in a message and bought: whom to thank."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, OuterRef, QuerySet

from campaigns.conditions.messages import of_campaign
from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.flows.triggers.clicked_not_bought import (
    LONGEST_LOOK_BACK,
    Clicks,
    clicks_of,
)
from campaigns.models import Campaign
from crm.conditions.words import counted
from crm.models import Order


@triggers.register
class ClickedAndBought(Trigger):
    """Lets in whoever clicked in a message themselves and bought within some days of it, whatever it was and
    wherever, when so many days have gone by since the order.

    An order that was cancelled or sent back by then lets nobody in. One run a person in the campaign's
    re-entry time.
    """

    key = "campaigns.clicked_and_bought"
    label = "Clicked and bought"
    group = "Messages"
    is_recorded = True

    class Params(Clicks):
        within_days = forms.IntegerField(
            label="bought within days of the click",
            min_value=1,
            max_value=60,
            initial=5,
            help_text="Five days, as orders are credited to messages.",
        )
        wait_days = forms.IntegerField(
            label="days after the order",
            min_value=0,
            max_value=60,
            initial=3,
            help_text="Three days: most parcels have come, and thanks are not yet an advertisement.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        rows = self._due(params, campaign, now).order_by("due_at", "pk")[:limit]

        def entrant(order: Any) -> Entrant:
            return Entrant(
                contact_id=order.contact_id,
                entry=f"bought:{order.pk}",
                qualified_at=order.due_at,
                is_test=order.contact_is_test,
                evidence={"order": str(order), "ordered_at": order.occurred_at.isoformat()},
            )

        return forward.one_each(rows, entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:bought:{contact_id}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        within, wait = counted(params["within_days"], "day"), counted(params["wait_days"], "day")
        return f"Clicked in a message{of_campaign(params)} and bought within {within}; {wait} after the order"

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        wait, within = timedelta(days=params["wait_days"]), timedelta(days=params["within_days"])
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        clicks = clicks_of(params, campaign).filter(
            contact=OuterRef("contact"),
            occurred_at__lte=OuterRef("occurred_at"),
            occurred_at__gt=forward.later(OuterRef("occurred_at"), -within),
        )
        found = (
            Order.objects.filter(occurred_at__gt=since - wait, occurred_at__lte=now - wait)
            .exclude(status__in=[Order.Status.CANCELLED, Order.Status.REFUNDED])
            .annotate(
                due_at=forward.later(F("occurred_at"), wait),
                contact_is_test=F("contact__is_test"),
            )
            .filter(
                Exists(clicks), ~Exists(forward.entered_since(campaign, "due_at")), contact__merged_into=None
            )
        )
        return may_enter(found, campaign, now, self.subject_kind)
