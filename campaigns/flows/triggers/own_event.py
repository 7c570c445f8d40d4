"""Something of the shop's own happened: a quiz done, a wish list shared, a demo booked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, QuerySet, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign
from tracking.conditions import told
from tracking.models import Actor, DailyCount, Event, EventKind

LONGEST_LOOK_BACK = timedelta(days=1)


@triggers.register
class OwnEvent(Trigger):
    """Lets in whoever does something that the shop calls by a name of its own, as soon as it is told.

    Only of people the shop vouches for: what a browser tells of somebody who has not been recognised starts
    nothing; what they did is theirs, and counts, once they are. Machines do not count. One run a person in
    the campaign's re-entry time.
    """

    key = "campaigns.own_event"
    label = "Did something of the shop's own"
    group = "Shop"
    is_recorded = True

    class Params(forms.Form):
        name = forms.CharField(
            label="event called",
            max_length=40,
            help_text="The name of the shop's own event, as its developer tells it: quiz_done, say.",
        )
        property = forms.CharField(
            label="with the property",
            max_length=60,
            required=False,
            help_text="Such as result. Blank: whatever it tells.",
        )
        value = forms.CharField(
            label="that is", max_length=200, required=False, help_text="Blank: it is given, whatever it is."
        )

        def clean_name(self) -> str:
            return self.cleaned_data["name"].lower()

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            if cleaned.get("value") and not cleaned.get("property"):
                self.add_error("property", "say of which property")
            return cleaned

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        rows = self._due(params, campaign, now).order_by("occurred_at", "pk")[:limit]

        def entrant(event: Any) -> Entrant:
            return Entrant(
                contact_id=event.contact_id,
                entry=f"event:{event.pk}",
                qualified_at=event.occurred_at,
                is_test=event.contact_is_test,
                evidence={"event": params["name"], "at": event.occurred_at.isoformat()}
                | ({params["property"]: event.props.get(params["property"])} if params["property"] else {}),
            )

        return forward.one_each(rows, entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:event:{params['name']}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        said = f"Did “{params['name']}”"
        if not params["property"]:
            return said
        value = f"“{params['value']}”" if params["value"] else "given"
        return f"{said} with “{params['property']}” {value}"

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        # By the counts of these days first: they have an index by kind, events have one by person.
        those = DailyCount.objects.filter(
            kind=f"{EventKind.CUSTOM}:{params['name']}",
            on_day__gte=since.astimezone(UTC).date(),
            on_day__lte=now.astimezone(UTC).date(),
        )
        found = Event.objects.filter(
            Exact(told.prop("event"), Value(params["name"])),
            kind=EventKind.CUSTOM,
            actor__in=[Actor.HUMAN, Actor.LIKELY_HUMAN],
            contact__in=those.values("contact"),
            occurred_at__gt=since,
            occurred_at__lte=now,
        )
        if params["value"]:
            value = told.prop(params["property"])
            found = found.filter(Exact(Lower(value), Lower(Value(params["value"]))))
        elif params["property"]:
            found = found.filter(props__has_key=params["property"])
        found = found.annotate(contact_is_test=F("contact__is_test"), due_at=F("occurred_at")).filter(
            ~Exists(forward.entered_since(campaign, "due_at")), contact__merged_into=None
        )
        return may_enter(found, campaign, now, self.subject_kind)
