"""Conditions about what people do: acts so often in some days, or since entering a campaign."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.db.models.lookups import GreaterThanOrEqual

from crm.kernel.rules import ENTERED_AT, Condition, Scope, conditions
from tracking.models import Actor, Event, EventKind

GROUP = "Activity"
# Opens tell of mail programs as much as of people: no rule asks for them.
_ASKED = [(kind.value, kind.label) for kind in EventKind if kind != EventKind.OPEN]


class DidParams(forms.Form):
    event = forms.ChoiceField(label="what", choices=_ASKED)
    times = forms.IntegerField(label="at least so many times", min_value=1, max_value=1000, initial=1)
    category = forms.CharField(label="in this category", max_length=200, required=False)
    brand = forms.CharField(label="of this brand", max_length=120, required=False)


class _Did(Condition):
    """Did something so often: one query over events by people, with the number and the last time as
    evidence.
    """

    group = GROUP

    def span(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        raise NotImplementedError

    def events(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Event]:
        done = Event.objects.filter(
            self.span(params, at, scope),
            contact=OuterRef("pk"),
            kind=params["event"],
            actor__in=[Actor.HUMAN, Actor.LIKELY_HUMAN],
            occurred_at__lte=at,
            recorded_at__lte=at,
        )
        if params["category"]:
            done = done.filter(props__category__iexact=params["category"])
        if params["brand"]:
            done = done.filter(props__brand__iexact=params["brand"])
        return done

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        events = self.events(params, at, scope)
        if params["times"] == 1:
            return Q(Exists(events))
        counted = events.order_by().values("contact").annotate(number=Count("pk")).values("number")
        return Q(GreaterThanOrEqual(Coalesce(Subquery(counted), 0), params["times"]))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        events = self.events(params, at, scope).order_by().values("contact")
        told = events.annotate(told=JSONObject(number=Count("pk"), last=Max("occurred_at")))
        return Subquery(told.values("told"))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "never"
        last = datetime.fromisoformat(value["last"])
        times = "once" if value["number"] == 1 else f"{value['number']} times"
        return f"{times}, last on {last.day} {last:%B %Y}"

    def words(self, params: dict[str, Any], span: str) -> str:
        about = [f"from {params['brand']}" if params["brand"] else ""]
        about.append(f"in {params['category']}" if params["category"] else "")
        times = "" if params["times"] == 1 else f"at least {params['times']} times"
        parts = [str(EventKind(params["event"]).label), *about, times, span]
        return " ".join(part for part in parts if part)


@conditions.register
class Did(_Did):
    """Who looked at, saved or clicked something: ever or in the last days, once or so many times."""

    key = "tracking.did"
    label = "Did something"

    class Params(DidParams):
        within_days = forms.IntegerField(
            label="in the last days", min_value=1, max_value=36_500, required=False, help_text="Blank: ever."
        )

    def span(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        days = params["within_days"]
        return Q(occurred_at__gt=at - timedelta(days=days)) if days else Q()

    def sentence(self, params: dict[str, Any]) -> str:
        days = params["within_days"]
        return self.words(params, f"in the last {days} days" if days else "")


@conditions.register
class DidSinceEntering(_Did):
    """Who did something after entering the campaign that asks, such as clicking one of its messages."""

    key = "tracking.did_since_entering"
    label = "Did something since entering"
    needs = frozenset({ENTERED_AT})

    class Params(DidParams):
        pass

    def span(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(occurred_at__gte=scope.inside.entered_at)

    def sentence(self, params: dict[str, Any]) -> str:
        return self.words(params, "since entering")
