"""Somebody became a lead, or came to a stage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import BooleanField, Case, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value, When

from campaigns.flows import exits, forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign, Enrolment, Step
from crm.models import Lead, LeadDefinition, LeadVersion, Stage, StageMove

LONGEST_LOOK_BACK = timedelta(days=3)
# A definition is read for the first time within minutes of its publishing.
FIRST_READ = timedelta(hours=1)
LEAD = "lead"
OF_SALES = (Stage.Meaning.SALES_READY, Stage.Meaning.ACCEPTED)
_NO = Value(False, BooleanField())


def _places() -> list[tuple[str, Any]]:
    """Becoming a lead, and the stages of every definition under its name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for stage in Stage.objects.select_related("definition").order_by("definition__name", "position", "name"):
        found.setdefault(str(stage.definition), []).append((str(stage.pk), f"comes to “{stage}”"))
    return [(LEAD, "becomes a lead"), *found.items()]


@triggers.register
class LeadMoves(Trigger):
    """Lets in whoever became a lead of a definition since the launch, or came to one of its stages, by rule
    or by hand, and still is there.

    Who was a lead when the definition was published and read for the first time was one before: they do not
    enter. One run a person in the campaign's re-entry time. A lead that sales gave back by hand, and whom the
    exit rule had taken out, goes on at once at the step where they stood.
    """

    key = "campaigns.lead_moves"
    label = "Became a lead, or came to a stage"
    group = "People"
    lift_days = 60

    class Params(forms.Form):
        definition = forms.ModelChoiceField(LeadDefinition.objects.order_by("name"), label="of the leads")
        to = forms.ChoiceField(label="when somebody", choices=_places, initial=LEAD)

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            definition, to = cleaned.get("definition"), cleaned.get("to")
            if definition and to and to != LEAD and not definition.stages.filter(pk=to).exists():
                self.add_error("to", f"this stage is not one of “{definition}”")
            return cleaned

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        def entrant(move: Any) -> Entrant:
            return Entrant(
                contact_id=move.contact_id,
                entry=f"lead:{move.pk}",
                qualified_at=move.occurred_at,
                is_test=move.contact_is_test,
                at_step=stood_at.get(move.contact_id, ""),
                evidence={
                    "leads": str(params["definition"]),
                    "stage": str(move.to_stage),
                    "score": move.score,
                    "since": move.occurred_at.isoformat(),
                    "by": move.actor or "a rule",
                    **({"goes_on_at": at} if (at := stood_at.get(move.contact_id)) else {}),
                },
            )

        moves = self._moves(params, campaign, now).select_related("to_stage")
        found = list(moves.order_by("occurred_at", "pk")[:limit])
        stood_at = _stood_at(campaign, [move.contact_id for move in found if move.is_given_back])
        return forward.one_each(found, entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:lead:{contact_id}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        if params["to"] == LEAD:
            return f"Somebody becomes a lead of “{params['definition']}”"
        stage = params["definition"].stages.filter(pk=params["to"]).first()
        return f"Somebody comes to “{stage}” of “{params['definition']}”"

    def _moves(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        definition, to = params["definition"], params["to"]
        moves = StageMove.objects.filter(
            definition=definition,
            to_stage__isnull=False,
            occurred_at__gt=since,
            occurred_at__lte=now,
            is_backfill=False,
            contact__merged_into=None,
        )
        leads = Lead.objects.filter(contact=OuterRef("contact"), definition=definition, ended_at=None)
        if to == LEAD:
            moves = moves.filter(Exists(leads.filter(became_at=OuterRef("occurred_at"))), from_stage=None)
        else:
            moves = moves.filter(Exists(leads.filter(stage=to)), to_stage=to)
        if first := _first_read(definition):
            moves = moves.exclude(occurred_at=first)
        found = moves.annotate(
            contact_is_test=F("contact__is_test"), is_given_back=_given_back(campaign) if to != LEAD else _NO
        )
        lately = Exists(forward.entered_since(campaign, "occurred_at"))
        return may_enter(found.filter(~lately | Q(is_given_back=True)), campaign, now, self.subject_kind)


def _given_back(campaign: Campaign) -> Case:
    """Whether a hand moved them out of sales, and the exit rule alone has taken them out of this campaign
    within the re-entry time.
    """
    lately = forward.entered_since(campaign, "occurred_at")
    taken_out = Q(left_reason=exits.EXIT_RULE, finished_at__lte=OuterRef("occurred_at"))
    by_hand = Q(by_rule=False, from_stage__meaning__in=OF_SALES)
    back = by_hand & Q(Exists(lately.filter(taken_out))) & ~Q(Exists(lately.exclude(taken_out)))
    return Case(When(back, then=Value(True)), default=_NO)


def _stood_at(campaign: Campaign, contact_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The key of the step at which each of them stood when they left."""
    if not contact_ids:
        return {}
    runs = Enrolment.objects.filter(contact__in=contact_ids, campaign=campaign).order_by("entered_at")
    key = Step.objects.filter(version=OuterRef("version"), position=OuterRef("step_position")).values("key")
    return dict(runs.annotate(key=Subquery(key[:1])).values_list("contact_id", "key"))


def _first_read(definition: LeadDefinition) -> datetime | None:
    """The instant at which everybody was asked for the first time, if anybody was found then."""
    published = LeadVersion.objects.filter(definition=definition).aggregate(at=Min("published_at"))["at"]
    first = StageMove.objects.filter(definition=definition).aggregate(at=Min("occurred_at"))["at"]
    return first if published and first and first - published < FIRST_READ else None
