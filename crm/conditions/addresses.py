"""Conditions about the addresses people are reached at: usable, proven, suppressed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.conditions.consent import AboutAddresses, whose
from crm.kernel.rules import Scope, conditions
from crm.models import Channel, ContactPoint, Suppression

ANYTHING = "anything"


def _stops() -> list[tuple[str, str]]:
    return [(ANYTHING, "for any reason"), *Suppression.Reason.choices]


@conditions.register
class Suppressed(AboutAddresses):
    """Whose address is on the list of those never to write to, for some purpose or for all. As it is now."""

    key = "crm.suppressed"
    label = "Suppressed"
    exact_in_past = False

    class Params(forms.Form):
        channel = forms.ChoiceField(label="by", choices=Channel.choices, initial=Channel.EMAIL)
        reason = forms.ChoiceField(label="because", choices=_stops, initial=ANYTHING)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        points = ContactPoint.objects.filter(channel=params["channel"])
        return whose(points.filter(Exists(self._rows(params))), scope)

    def sentence(self, params: dict[str, Any]) -> str:
        why = "" if params["reason"] == ANYTHING else f": {Suppression.Reason(params['reason']).label}"
        return f"are suppressed for {Channel(params['channel']).label}{why}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        points = ContactPoint.objects.filter(contact=OuterRef("pk"), channel=params["channel"])
        row = self._rows({**params, "reason": ANYTHING}).order_by("since")
        told = row.annotate(told=JSONObject(reason="reason", since="since")).values("told")[:1]
        stopped = points.annotate(stop=Subquery(told)).exclude(stop=None)
        return Subquery(stopped.values("stop")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "not suppressed"
        since = datetime.fromisoformat(value["since"])
        return f"{Suppression.Reason(value['reason']).label}, since {since.day} {since:%B %Y}"

    def _rows(self, params: dict[str, Any]) -> QuerySet[Suppression]:
        rows = Suppression.objects.filter(address_hash=OuterRef("address_hash"), channel=params["channel"])
        return rows if params["reason"] == ANYTHING else rows.filter(reason=params["reason"])


class ChannelParams(forms.Form):
    channel = forms.ChoiceField(label="for", choices=Channel.choices, initial=Channel.EMAIL)


def _addresses(params: dict[str, Any]) -> QuerySet[ContactPoint]:
    return ContactPoint.objects.filter(contact=OuterRef("pk"), channel=params["channel"])


@conditions.register
class Reachable(AboutAddresses):
    """Who has an address on a channel that has not bounced for good, as it is now."""

    key = "crm.reachable"
    label = "Has an address"
    exact_in_past = False

    class Params(ChannelParams):
        pass

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        points = ContactPoint.objects.filter(channel=params["channel"])
        return whose(points.filter(status__in=[ContactPoint.Status.OK, ContactPoint.Status.SOFT]), scope)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"can be reached by {Channel(params['channel']).label}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        best = _addresses(params).order_by("-is_primary", "created_at")
        return Subquery(best.annotate(told=JSONObject(at="address", status="status")).values("told")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return f"no address for {Channel(params['channel']).label}"
        return f"{value['at']}: {ContactPoint.Status(value['status']).label}"


@conditions.register
class Verified(AboutAddresses):
    """Who has proven that an address is theirs, by confirming something from it."""

    key = "crm.verified"
    label = "Proven address"

    class Params(ChannelParams):
        pass

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return whose(ContactPoint.objects.filter(channel=params["channel"], verified_at__lte=at), scope)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"have proven an address for {Channel(params['channel']).label}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        proven = _addresses(params).filter(verified_at__lte=at).order_by("verified_at")
        return Subquery(proven.values("verified_at")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"proven on {value.day} {value:%B %Y}" if value else "not proven"
