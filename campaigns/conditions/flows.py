"""Conditions about flows: who is inside one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from campaigns.models import Campaign, Enrolment
from crm.kernel.rules import Condition, Scope, conditions


@conditions.register
class InFlow(Condition):
    """True of people who are inside a flow at that instant."""

    key = "campaigns.in_flow"
    label = "Is in a flow"
    group = "Messages"

    class Params(forms.Form):
        campaign = forms.ModelChoiceField(
            Campaign.objects.all(), required=False, empty_label="any flow", label="flow"
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(self._runs(params, at)))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are in “{params['campaign']}”" if params["campaign"] else "are in a flow"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return Subquery(self._runs(params, at).order_by("-entered_at").values("entered_at")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"entered on {value:%-d %B %Y}" if value else "in none"

    def _runs(self, params: dict[str, Any], at: datetime) -> QuerySet[Enrolment]:
        runs = Enrolment.objects.filter(
            Q(finished_at__isnull=True) | Q(finished_at__gt=at), contact=OuterRef("pk"), entered_at__lte=at
        )
        return runs.filter(campaign=params["campaign"]) if params["campaign"] else runs
