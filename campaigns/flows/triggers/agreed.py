"""Somebody agreed to be written to, or signed up: whom to welcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign
from crm.models import Channel, ConsentEvent, ConsentState, ContactPoint, Purpose

LONGEST_LOOK_BACK = timedelta(days=3)
_GRANTS = [ConsentEvent.Action.GRANTED, ConsentEvent.Action.CONFIRMED]


@triggers.register
class Agreed(Trigger):
    """Lets in whoever agreed to something since the launch and had not agreed before: by a form, at the
    checkout, by confirming their address. Where a confirmation is asked for, it is what counts.

    Saying it again lets nobody in, and neither does an imported list, unless it brings the wording, the
    source and a moment after the launch. One run a person in the campaign's re-entry time.
    """

    key = "campaigns.agreed"
    label = "Agreed, or signed up"
    group = "People"

    class Params(forms.Form):
        purpose = forms.ModelChoiceField(
            Purpose.objects.filter(kind=Purpose.Kind.MARKETING).order_by("name"),
            to_field_name="key",
            label="to",
            help_text="What they said yes to.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        def entrant(row: Any) -> Entrant:
            return Entrant(
                contact_id=row.contact_id,
                entry=f"agreed:{params['purpose'].key}:{row.agreed_at.isoformat()}",
                qualified_at=row.agreed_at,
                is_test=row.contact_is_test,
                evidence={
                    "agreed_to": str(params["purpose"]),
                    "on": Channel(row.channel).label,
                    "agreed_at": row.agreed_at.isoformat(),
                    "by": row.said_by,
                },
            )

        people = self._people(params, campaign, now).order_by("agreed_at", "pk")
        return forward.one_each(people[:limit], entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:agreed:{contact_id}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"Somebody agrees to “{params['purpose']}”"

    def _people(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        states = ConsentState.objects.filter(
            purpose=params["purpose"], may_send=True, since__gt=since, since__lte=now
        )
        # The state says since when it stands; what was said at that very moment says how it came about.
        words = ConsentEvent.objects.filter(
            address_hash=OuterRef("address_hash"),
            channel=OuterRef("channel"),
            purpose=params["purpose"],
            occurred_at=OuterRef("since"),
            action__in=_GRANTS,
            is_backfill=False,
        )
        states = states.annotate(said_by=Subquery(words.order_by("position").values("source_kind")[:1]))
        mine = states.filter(
            Q(said_by__isnull=False), address_hash=OuterRef("address_hash"), channel=OuterRef("channel")
        )
        agreed = states.values("address_hash")
        found = (
            ContactPoint.objects.filter(address_hash__in=agreed, is_primary=True, contact__merged_into=None)
            .annotate(
                agreed_at=Subquery(mine.values("since")[:1]),
                said_by=Subquery(mine.values("said_by")[:1]),
                contact_is_test=F("contact__is_test"),
            )
            .filter(agreed_at__isnull=False)
        )
        found = found.filter(~Exists(forward.entered_since(campaign, "agreed_at")))
        return may_enter(found, campaign, now, self.subject_kind)
