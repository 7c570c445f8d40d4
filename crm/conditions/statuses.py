"""Conditions about statuses: who holds one, such as VIP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.conditions.words import day
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import ContactStatus, Status
from crm.people import statuses


@conditions.register
class HasStatus(Condition):
    """Who holds a status, such as VIP: given by its rule or by hand, and not yet run out."""

    key = "crm.has_status"
    label = "Has a status"
    group = "Statuses"

    class Params(forms.Form):
        status = forms.ModelChoiceField(Status.objects.order_by("name"), to_field_name="key", label="status")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        terms = statuses.held_at(at, current=scope.current).filter(status=params["status"])
        return Q(Exists(terms.filter(contact=OuterRef("pk"))))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"have the status “{params['status']}”"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        terms = ContactStatus.objects.filter(
            contact=OuterRef("pk"), status=params["status"], occurred_at__lte=at, recorded_at__lte=at
        )
        told = terms.annotate(told=JSONObject(since="occurred_at", until="until", ended="ended_at"))
        return Subquery(told.order_by("-occurred_at", "-pk").values("told")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "never had it"
        if value["ended"]:
            return f"had it from {day(value['since'])} to {day(value['ended'])}"
        return f"since {day(value['since'])}, until {day(value['until'])}"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        over = ContactStatus.objects.filter(status=params["status"], until__gt=since, until__lte=at)
        return [over.order_by().values("contact_id")]
