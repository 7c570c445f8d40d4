"""Conditions about hand-overs: whom sales refused, and why."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.conditions import leads, words
from crm.conditions.spans import SpanForm, span_of
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import HandOver, LeadDefinition


@conditions.register
class RefusedBySales(Condition):
    """Whom sales did not take as a lead, lately or ever, for one reason or any: as marketing should know
    before it sends them again.
    """

    key = "crm.lead_refused"
    label = "Refused by sales"
    group = leads.GROUP

    class Params(SpanForm):
        reason = forms.ChoiceField(
            label="because", choices=[("", "of anything"), *HandOver.Reason.choices], required=False
        )
        definition = forms.ChoiceField(label="as a lead of", choices=leads.any_or_one, required=False)
        field_order = ("reason", "definition", "within_days", "from_day", "to_day")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(_refused(params, at).filter(span_of(params).q(at, "answered_at"))))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        refused = HandOver.objects.filter(answer=HandOver.Answer.REFUSED)
        return span_of(params).passed(refused, since, at, "answered_at")

    def sentence(self, params: dict[str, Any]) -> str:
        why = f" ({HandOver.Reason(params['reason']).label})" if params["reason"] else ""
        name = LeadDefinition.objects.values_list("name", flat=True)
        of = f" as leads of “{name.get(pk=params['definition'])}”" if params["definition"] else ""
        return f"were refused by sales{why}{of} {span_of(params).words}".rstrip()

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        told = JSONObject(at="answered_at", reason="reason", words="words")
        return Subquery(_refused(params, at).order_by("-answered_at").values(told=told)[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "never refused by sales"
        reason = dict(HandOver.Reason.choices).get(value["reason"], "")
        why = ": ".join(str(part) for part in (reason, value["words"]) if part)
        return f"refused on {words.day(datetime.fromisoformat(value['at']))}{f', {why}' if why else ''}"


def _refused(params: dict[str, Any], at: datetime) -> QuerySet[HandOver]:
    found = HandOver.objects.filter(
        contact=OuterRef("pk"), answer=HandOver.Answer.REFUSED, answered_at__lte=at
    )
    if params["reason"]:
        found = found.filter(reason=params["reason"])
    return found.filter(definition=uuid.UUID(params["definition"])) if params["definition"] else found
