"""Somebody began to slip away, or came back: cooling, at risk, lost, active again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, OuterRef, QuerySet

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign
from crm.models import Standing, StandingMove, State

LONGEST_LOOK_BACK = timedelta(days=3)
_BECAME = {
    State.COOLING: "becomes cooling",
    State.AT_RISK: "is newly at risk",
    State.LOST: "is lost",
    State.ACTIVE: "is active again",
}


@triggers.register
class StandingMoves(Trigger):
    """Lets in whoever came to be cooling, at risk, lost or active again since the launch, and still is:
    buyers by their own rhythm, the registered by their visits.

    A move counts from the instant it became true. New thresholds make nobody newly at risk. One run a person
    in the campaign's re-entry time.
    """

    key = "campaigns.standing_moves"
    label = "Became cooling, at risk, lost, or active again"
    group = "People"
    looks_at_people = True
    lift_days = 45

    class Params(forms.Form):
        to = forms.ChoiceField(
            label="when somebody",
            choices=[(state.value, words) for state, words in _BECAME.items()],
            initial=State.AT_RISK.value,
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
        found = self._before(params, campaign, now) if existing else self._moves(params, campaign, now)

        def entrant(row: Any) -> Entrant:
            return Entrant(
                contact_id=row.contact_id,
                entry=f"standing:{row.pk}:{params['to']}",
                qualified_at=now if existing else row.moved_at,
                is_test=row.contact_is_test,
                evidence={"standing": params["to"], "since": row.moved_at.isoformat()},
            )

        return forward.one_each(found.order_by("moved_at", "pk")[:limit], entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:standing:{contact_id}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"Somebody {_BECAME[State(params['to'])]}"

    def _moves(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        still = Standing.objects.filter(contact=OuterRef("contact"), state=params["to"])
        # Who stands anywhere for the first time has not moved: they have just come.
        moves = StandingMove.objects.exclude(from_state="").filter(
            Exists(still),
            to_state=params["to"],
            occurred_at__gt=since,
            occurred_at__lte=now,
            is_backfill=False,
            contact__merged_into=None,
        )
        found = moves.annotate(moved_at=F("occurred_at"), contact_is_test=F("contact__is_test"))
        found = found.filter(~Exists(forward.entered_since(campaign, "moved_at")))
        return may_enter(found, campaign, now, self.subject_kind)

    def _before(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        """Who stood there at the launch. Of the active nobody: they have not come back."""
        there = Standing.objects.filter(
            ~Exists(forward.runs(campaign)),
            state=params["to"],
            since__lte=forward.launch_of(campaign),
            contact__merged_into=None,
        ).exclude(state=State.ACTIVE)
        found = there.annotate(moved_at=F("since"), contact_is_test=F("contact__is_test"))
        return may_enter(found, campaign, now, self.subject_kind)
