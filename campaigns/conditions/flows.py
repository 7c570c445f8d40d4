"""Conditions about flows: who is inside one, went through one, or was held out of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from campaigns.conditions.messages import GROUP
from campaigns.models import Campaign, Enrolment
from crm.conditions import words
from crm.conditions.spans import SpanForm, span_of
from crm.kernel.rules import Condition, Scope, conditions


class FlowForm(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, empty_label="any flow", label="flow"
    )


SLOWEST = timedelta(hours=1)
"""No tick takes longer to write what it did: a run that began or ended before is seen by now."""


class Runs(Condition):
    """A run through a flow, entered by then. Runs carry the instants they began and ended, so letting
    somebody in need not stir them as well.
    """

    group = GROUP

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        lately = Q(entered_at__gt=since - SLOWEST) | Q(finished_at__gt=since - SLOWEST)
        runs = Enrolment.objects.filter(lately)
        if params["campaign"]:
            runs = runs.filter(campaign=params["campaign"])
        return [runs.order_by().values("contact_id")]

    def runs(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Enrolment]:
        raise NotImplementedError(f"{type(self).__name__} names no runs")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(self.runs(params, at, scope)))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        latest = self.runs(params, at, scope).order_by("-entered_at")
        return Subquery(latest.values("entered_at")[:1])

    def entered(self, params: dict[str, Any], at: datetime) -> QuerySet[Enrolment]:
        runs = Enrolment.objects.filter(contact_id=OuterRef("pk"), entered_at__lte=at)
        return runs.filter(campaign=params["campaign"]) if params["campaign"] else runs


def _flow(params: dict[str, Any]) -> str:
    return f"“{params['campaign']}”" if params["campaign"] else "a flow"


@conditions.register
class InFlow(Runs):
    """Who is inside a flow at that instant, whether written to or held out of it."""

    key = "campaigns.in_flow"
    label = "Is in a flow"

    class Params(FlowForm):
        """Which one."""

    def runs(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Enrolment]:
        inside = self.entered(params, at)
        if scope.current:
            return inside.filter(state=Enrolment.State.ACTIVE)
        return inside.filter(Q(finished_at__isnull=True) | Q(finished_at__gt=at))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are in {_flow(params)}"

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"entered on {words.day(value)}" if value else "in none"


ENTERED, FINISHED, LEFT = "entered", "finished", "left"


@conditions.register
class WasInFlow(Runs):
    """Who entered a flow, reached its end, or left it early; ever, in the last days, or between two days."""

    key = "campaigns.was_in_flow"
    label = "Went through a flow"

    class Params(FlowForm, SpanForm):
        what = forms.ChoiceField(
            label="what",
            choices=[(ENTERED, "entered"), (FINISHED, "reached the end of"), (LEFT, "left early")],
        )
        field_order = ("what", "campaign")

    def runs(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Enrolment]:
        runs = self.entered(params, at)
        if params["what"] != ENTERED:
            runs = runs.filter(state=params["what"], finished_at__lte=at)
        return runs.filter(span_of(params).q(at, _moment(params)))

    def sentence(self, params: dict[str, Any]) -> str:
        verb = {ENTERED: "entered", FINISHED: "reached the end of", LEFT: "left"}[params["what"]]
        early = "early" if params["what"] == LEFT else ""
        return words.joined(verb, _flow(params), early, span_of(params).words)

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        moment = _moment(params)
        return Subquery(self.runs(params, at, scope).order_by(f"-{moment}").values(moment)[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"last on {words.day(value)}" if value else "never"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        lately = super().drift(params, since, at, scope)
        return [*lately, *span_of(params).passed(Enrolment.objects.all(), since, at, _moment(params))]


def _moment(params: dict[str, Any]) -> str:
    return "entered_at" if params["what"] == ENTERED else "finished_at"


@conditions.register
class HeldOut(Runs):
    """Who was held out of a flow to measure what it brings: its control group, in the flow now or once."""

    key = "campaigns.control_group"
    label = "Is in a control group"

    class Params(FlowForm):
        """Of which flow."""

    def runs(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Enrolment]:
        return self.entered(params, at).filter(arm=Enrolment.Arm.CONTROL)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"were held out of {_flow(params)} as its control group"

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"held out since {words.day(value)}" if value else "not held out"
