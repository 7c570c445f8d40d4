"""Somebody clicked in a message, came to the shop, and did not buy: whom to ask why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, OuterRef, QuerySet

from campaigns.conditions.messages import clicked_by_people, of_campaign
from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Guarded, Trigger, triggers
from campaigns.models import Campaign, Delivery, Enrolment
from crm.conditions.words import counted
from crm.models import Order
from tracking.models import Cart, Event, Visit

LONGEST_LOOK_BACK = timedelta(days=1)
# A click that leads to the shop is followed by a visit at once; this allows for a slow morning.
ARRIVES_WITHIN = timedelta(hours=1)
# A visit that was under way when they clicked began at most so long before.
LONGEST_VISIT = timedelta(days=1)


class Clicks(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"), required=False, empty_label="any campaign", label="a message of"
    )


@triggers.register
class ClickedNotBought(Trigger):
    """Lets in whoever clicked in a message themselves, came to the shop, and bought nothing since, when so
    many hours have gone by. Whoever has a cart standing open is left to the flow for left carts.

    Clicks by scanners do not count, nor clicks in the campaign's own messages. One run a person in the
    campaign's re-entry time; whatever they buy ends it.
    """

    key = "campaigns.clicked_not_bought"
    label = "Clicked, came, and did not buy"
    group = "Messages"

    class Params(Clicks):
        hours = forms.IntegerField(
            label="hours after the click",
            min_value=1,
            max_value=30 * 24,
            initial=72,
            help_text="Three days: most who buy after a click have bought by then, and they still remember.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        rows = self._due(params, campaign, now).order_by("due_at", "pk")[:limit]

        def entrant(click: Any) -> Entrant:
            return Entrant(
                contact_id=click.contact_id,
                entry=f"click:{click.pk}",
                qualified_at=click.due_at,
                is_test=click.contact_is_test,
                evidence={"clicked_at": click.occurred_at.isoformat(), "message": str(click.ref)},
            )

        return forward.one_each(rows, entrant)

    def guard_of(
        self, params: dict[str, Any], enrolments: Sequence[Enrolment], now: datetime
    ) -> dict[UUID, Guarded]:
        wait = timedelta(hours=params["hours"])
        return {enrolment.pk: Guarded(since=enrolment.qualified_at - wait) for enrolment in enrolments}

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:click:{contact_id}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        after = counted(params["hours"], "hour")
        return f"Clicked in a message{of_campaign(params)}, came, and bought nothing for {after}"

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        wait = timedelta(hours=params["hours"])
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        clicked = {"occurred_at__gt": since - wait, "occurred_at__lte": now - wait}
        visits = Visit.objects.filter(
            contact=OuterRef("contact"),
            started_at__lte=forward.later(OuterRef("occurred_at"), ARRIVES_WITHIN),
            ended_at__gte=OuterRef("occurred_at"),
        )
        # By the visits of those days first: they have an index by time, events have one by person.
        then = {
            "started_at__gt": since - wait - LONGEST_VISIT,
            "started_at__lte": now - wait + ARRIVES_WITHIN,
        }
        here = Visit.objects.filter(**then).values("contact")
        bought = Order.objects.filter(contact=OuterRef("contact"), occurred_at__gte=OuterRef("occurred_at"))
        carts = Cart.objects.filter(contact=OuterRef("contact"), state=Cart.State.OPEN, item_count__gt=0)
        found = (
            clicks_of(params, campaign)
            .filter(**clicked, contact__in=here)
            .annotate(due_at=forward.later(F("occurred_at"), wait), contact_is_test=F("contact__is_test"))
            .filter(
                Exists(visits),
                ~Exists(bought.exclude(status=Order.Status.CANCELLED)),
                ~Exists(carts),
                ~Exists(forward.entered_since(campaign, "due_at")),
                contact__merged_into=None,
            )
        )
        return may_enter(found, campaign, now, self.subject_kind)


def clicks_of(params: dict[str, Any], campaign: Campaign) -> QuerySet[Event]:
    """Clicks by people in messages of the campaign that is named, or of any but this one."""
    messages = Delivery.objects.filter(public_id=OuterRef("ref"), origin=Delivery.Origin.FLOW)
    messages = messages.exclude(campaign=campaign)
    if params["campaign"]:
        messages = messages.filter(campaign=params["campaign"])
    return Event.objects.filter(clicked_by_people(), Exists(messages), ref__isnull=False)
