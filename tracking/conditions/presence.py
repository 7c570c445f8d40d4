"""Conditions about when people were first and last here: in the shop, in a message, buying on the web."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest

from crm.conditions import words
from crm.conditions.spans import Span, SpanForm, span_of, turned
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Engagement, Order
from crm.people.among import among
from tracking.conditions.visits import GROUP, passed, visits
from tracking.models import Actor, Event, EventKind

WITHIN, NOT_FOR = "within", "not_for"


@conditions.register
class LastSeen(Condition):
    """Who was here within the last days, or was not: in the shop, clicking in a message, or buying on the
    web. People who never were here were not here for any number of days.
    """

    key = "tracking.last_seen"
    label = "Last seen"
    group = GROUP

    class Params(forms.Form):
        which = forms.ChoiceField(
            label="was",
            choices=[(WITHIN, "here in the last … days"), (NOT_FOR, "not here for … days")],
            initial=NOT_FOR,
        )
        days = forms.IntegerField(label="days", min_value=1, max_value=36_500, initial=90)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        since = at - timedelta(days=params["days"])
        if scope.current:
            seen = Q(engagement__last_seen_at__gt=since)
        else:
            acts, orders = (rows.filter(occurred_at__gt=since) for rows in _signs(at))
            seen = Q(Exists(acts)) | Q(Exists(orders))
        return seen if params["which"] == WITHIN else ~seen

    def sentence(self, params: dict[str, Any]) -> str:
        days = words.counted(params["days"], "day")
        return f"were here in the last {days}" if params["which"] == WITHIN else f"were not here for {days}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        if scope.current:
            return F("engagement__last_seen_at")
        return Greatest(
            *(
                Subquery(
                    rows.order_by().values("contact_id").annotate(last=Max("occurred_at")).values("last")
                )
                for rows in _signs(at)
            )
        )

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"last here on {words.day(value)}" if value else "never here"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        return "a visit" if (params["which"] == WITHIN) == wanted else ""

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return [turned(Engagement.objects.all(), params["days"], since, at, "last_seen_at")]


def _signs(at: datetime) -> tuple[QuerySet[Event], QuerySet[Order]]:
    """What says that the person was here, as known by then. An open says nothing: programs open, too. An
    order that was cancelled says as much as any other.
    """
    known = {"contact_id": OuterRef("pk"), "occurred_at__lte": at, "recorded_at__lte": at}
    acts = Event.objects.filter(**known, actor__in=[Actor.HUMAN, Actor.LIKELY_HUMAN])
    return acts.exclude(kind=EventKind.OPEN), Order.objects.filter(**known, channel="web")


@conditions.register
class FirstSeen(Condition):
    """Who was in the shop for the first time in the last days, or between two days, as far as we know: their
    first visit that could be given to them.
    """

    key = "tracking.first_seen"
    label = "First seen"
    group = GROUP

    class Params(SpanForm):
        """When their first visit began."""

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        rows = scope.narrowed(visits(Span(), at, scope)).order_by().values("contact_id")
        people = rows.annotate(first=Min("started_at")).filter(span_of(params).q(at, "first"))
        return among(people.values("contact_id"))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"were here for the first time {span_of(params).words or 'at any time'}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        mine = visits(Span(), at, scope).filter(contact_id=OuterRef("pk")).order_by()
        return Subquery(mine.values("contact_id").annotate(first=Min("started_at")).values("first"))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"first here on {words.day(value)}" if value else "never here"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return passed(span_of(params), since, at)
