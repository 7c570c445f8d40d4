"""Somebody came into a segment, or went out of it: newly at risk, newly a big spender."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, Min, QuerySet

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign
from crm.kernel.kinds import BrokenParams
from crm.models import Segment, SegmentMembership, SegmentSize

LONGEST_LOOK_BACK = timedelta(days=3)
ENTERED, LEFT = "entered", "left"
_MOMENT = {ENTERED: "entered_at", LEFT: "left_at"}
_WORDS = {ENTERED: "comes into", LEFT: "goes out of"}


@triggers.register
class SegmentMoves(Trigger):
    """Lets in whoever comes into a segment, or goes out of it, from the launch on.

    Each stay counts once. Whoever was in when the segment was filled for the first time did not come in: they
    had been such people before. One run a person in the campaign's re-entry time.
    """

    key = "campaigns.segment_moves"
    label = "Came into a segment, or went out"
    group = "People"
    looks_at_people = True

    class Params(forms.Form):
        which = forms.ChoiceField(
            label="when somebody",
            choices=[(ENTERED, "comes into"), (LEFT, "goes out of")],
            initial=ENTERED,
        )
        segment = forms.ModelChoiceField(
            Segment.objects.order_by("name"),
            label="segment",
            help_text="People move when the segment is refreshed; its page says how often that is.",
        )

    def entrants(
        self,
        params: dict[str, Any],
        campaign: Campaign,
        now: datetime,
        *,
        limit: int,
        existing: bool = False,
    ) -> Sequence[Entrant]:
        if params["segment"].problem:
            raise BrokenParams("segment", f"“{params['segment']}” is closed: {params['segment'].problem}")
        found = self._before(params, campaign, now) if existing else self._moves(params, campaign, now)

        def entrant(stay: Any) -> Entrant:
            return Entrant(
                contact_id=stay.contact_id,
                entry=f"segment:{stay.pk}:{params['which']}",
                qualified_at=now if existing else stay.moved_at,
                is_test=stay.contact_is_test,
                evidence={"segment": str(params["segment"]), params["which"]: stay.moved_at.isoformat()},
            )

        return forward.one_each(found.order_by("moved_at", "pk")[:limit], entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:segment:{params['segment'].pk}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"Somebody {_WORDS[params['which']]} the segment “{params['segment']}”"

    def _moves(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        moment = _MOMENT[params["which"]]
        stays = SegmentMembership.objects.filter(
            segment=params["segment"], **{f"{moment}__gte": since, f"{moment}__lte": now}
        )
        if params["which"] == ENTERED:
            first = SegmentSize.objects.filter(segment=params["segment"]).aggregate(at=Min("at"))["at"]
            stays = stays.filter(left_at=None).exclude(entered_at=first)
        found = stays.annotate(moved_at=F(moment), contact_is_test=F("contact__is_test"))
        found = found.filter(~Exists(forward.entered_since(campaign, "moved_at")), contact__merged_into=None)
        return may_enter(found, campaign, now, self.subject_kind)

    def _before(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        """Who was in it at the launch, and still is. Of those who go out nobody: they are out already."""
        stays = SegmentMembership.objects.none()
        if params["which"] == ENTERED:
            launch = forward.launch_of(campaign)
            stays = SegmentMembership.objects.filter(
                ~Exists(forward.runs(campaign)),
                segment=params["segment"],
                left_at=None,
                entered_at__lte=launch,
                contact__merged_into=None,
            )
        found = stays.annotate(moved_at=F("entered_at"), contact_is_test=F("contact__is_test"))
        return may_enter(found, campaign, now, self.subject_kind)
