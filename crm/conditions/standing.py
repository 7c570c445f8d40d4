"""Conditions about rhythm and risk: where people stand, since when, how overdue they are, what is at stake.

Asked of this moment, the kept standing answers. Of the past, states are as the moves said and were known
then; gaps and money are counted from the orders known then, by the shop's rhythm in use then.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.audience import pacing
from crm.conditions.words import counted, day, money
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Clock, Order, Standing, StandingMove, State

GROUP = "Rhythm"
_CLOCKS = [("", "either clock"), *Clock.choices]
_WHOSE = {"": "", Clock.PURCHASE.value: " as buyers", Clock.ENGAGEMENT.value: " as registered"}
_NEXT = {State.COOLING.value: "cooling_at", State.AT_RISK.value: "at_risk_at", State.LOST.value: "lost_at"}


def moves_then(at: datetime) -> QuerySet[StandingMove]:
    """The last move of the contact in the query around, as known by then: where they stood."""
    known = StandingMove.objects.filter(occurred_at__lte=at, recorded_at__lte=at)
    last = known.filter(contact=OuterRef("contact")).order_by("-recorded_at", "-occurred_at", "-pk")
    return known.filter(contact=OuterRef("pk"), pk=Subquery(last.values("pk")[:1]))


def in_words(value: dict[str, Any]) -> str:
    """A standing as the evidence holds it: "at risk since 3 October: usually buys every 31 days, now 52"."""
    said = f"{State(value['state']).label} since {day(value['since'])}" if value["state"] else "not counted"
    paced = pacing.words(value) if "last" in value else ""
    return f"{said}: {paced}" if paced else said


class _OfStanding(Condition):
    """The standing as evidence, with what it rests on where this moment is asked about."""

    group = GROUP

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        if not scope.current:
            move = moves_then(at).annotate(
                told=JSONObject(state="to_state", since="occurred_at", clock="clock")
            )
            return Subquery(move.values("told")[:1])
        return Subquery(pacing.told(at).values("told")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return in_words(value) if value else "stands nowhere yet"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        if not value:
            return ""
        ends = "an order" if value["clock"] == Clock.PURCHASE else "a visit, a click or a reply"
        if not wanted:
            return ends
        due = value.get(_NEXT.get(params["state"], ""))
        asked = State.values.index(params["state"])
        if not value["state"] or State.values.index(value["state"]) >= asked:
            return ends if params["state"] == State.ACTIVE else ""
        return f"silence until {day(due)}" if due else ""


class StandsParams(forms.Form):
    state = forms.ChoiceField(label="is", choices=State.choices, initial=State.AT_RISK)
    clock = forms.ChoiceField(label="counted for", choices=_CLOCKS, required=False)


@conditions.register
class Stands(_OfStanding):
    """Who is active, cooling, at risk or lost: buyers by their own rhythm, the registered by their visits."""

    key = "crm.stands"
    label = "Is active, cooling, at risk or lost"

    class Params(StandsParams):
        pass

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        clock = {"clock": params["clock"]} if params["clock"] else {}
        if scope.current:
            return Q(Exists(Standing.objects.filter(contact=OuterRef("pk"), state=params["state"], **clock)))
        return Q(Exists(moves_then(at).filter(to_state=params["state"], **clock)))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are {State(params['state']).label}{_WHOSE[params['clock']]}"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> list[QuerySet[Any]]:
        return []


@conditions.register
class NewlyStands(_OfStanding):
    """Who came to be cooling, at risk or lost in the last days, and still is: whom to win back first."""

    key = "crm.newly_stands"
    label = "Is newly at risk or lost"

    class Params(StandsParams):
        state = forms.ChoiceField(
            label="is newly",
            choices=[choice for choice in State.choices if choice[0] != State.ACTIVE],
            initial=State.AT_RISK,
        )
        within_days = forms.IntegerField(label="in the last days", min_value=1, max_value=3650, initial=1)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        clock = {"clock": params["clock"]} if params["clock"] else {}
        after = at - timedelta(days=params["within_days"])
        if scope.current:
            found = Standing.objects.filter(contact=OuterRef("pk"), state=params["state"], **clock)
            return Q(Exists(found.filter(since__gt=after, since__lte=at)))
        return Q(Exists(moves_then(at).filter(to_state=params["state"], occurred_at__gt=after, **clock)))

    def sentence(self, params: dict[str, Any]) -> str:
        days = params["within_days"]
        span = "the last day" if days == 1 else f"the last {days} days"
        return f"became {State(params['state']).label}{_WHOSE[params['clock']]} in {span}"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> list[QuerySet[Any]]:
        span = timedelta(days=params["within_days"])
        aged = StandingMove.objects.filter(
            to_state=params["state"], occurred_at__gt=since - span, occurred_at__lte=at - span
        )
        return [aged.values("contact_id")]


class _OfPace(Condition):
    """Something that follows from the orders so far: a filter over everybody's pace, kept or counted."""

    group = GROUP

    def asked(self, params: dict[str, Any]) -> Q:
        """A filter over rows with `gaps`, `usual`, `silent` (days) and `at_stake`."""
        raise NotImplementedError(f"{type(self).__name__} asks nothing")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        paces = scope.narrowed(pacing.kept(at)) if scope.current else _counted(at, scope)
        return Q(pk__in=paces.filter(self.asked(params)).values("contact_id"))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        if scope.current:
            return Subquery(pacing.told(at).values("told")[:1])
        return Subquery(pacing.counted(Order.objects.filter(contact=OuterRef("pk")), at).values("told")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return pacing.words(value) if value else "never bought"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> list[QuerySet[Any]]:
        return []


def _counted(at: datetime, scope: Scope) -> QuerySet[Any]:
    return pacing.counted(scope.narrowed(Order.objects.all()), at)


@conditions.register
class Overdue(_OfPace):
    """Who has been silent for so many times their usual gap between two orders, by their own rhythm."""

    key = "crm.overdue"
    label = "Is overdue by their own rhythm"

    class Params(forms.Form):
        times = forms.DecimalField(
            label="at least so many times the usual gap",
            min_value=Decimal("0.1"),
            max_value=100,
            decimal_places=2,
            initial=Decimal("1.5"),
            help_text="Of people who bought once, the shop's usual gap counts.",
        )

    def asked(self, params: dict[str, Any]) -> Q:
        return pacing.overdue(float(params["times"]))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"have not bought for at least {params['times'].normalize():f} times their usual gap"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> list[QuerySet[Any]]:
        ripe = self.asked(params)
        return [
            pacing.kept(at)
            .filter(ripe)
            .exclude(pk__in=pacing.kept(since).filter(ripe).values("pk"))
            .values("contact_id")
        ]

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        if not value or value["clock"] != Clock.PURCHASE:
            return ""
        missing = math.ceil(float(params["times"]) * value["usual"] - value["silent"])
        return f"{counted(missing, 'more day')} without an order" if wanted else "an order"


@conditions.register
class UsualGap(_OfPace):
    """Who bought more than once and usually takes so many days from one order to the next."""

    key = "crm.usual_gap"
    label = "Usually buys every so many days"

    class Params(forms.Form):
        at_least = forms.IntegerField(label="at least days", min_value=1, max_value=3650, required=False)
        at_most = forms.IntegerField(label="at most days", min_value=1, max_value=3650, required=False)

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            least, most = cleaned.get("at_least"), cleaned.get("at_most")
            if not self.errors and least is None and most is None:
                raise forms.ValidationError("Say at least or at most how many days.")
            if least is not None and most is not None and least > most:
                self.add_error("at_most", "At most is less than at least.")
            return cleaned

    def asked(self, params: dict[str, Any]) -> Q:
        asked = Q(gaps__gte=1)
        if params["at_least"] is not None:
            asked &= Q(usual__gte=params["at_least"])
        if params["at_most"] is not None:
            asked &= Q(usual__lte=params["at_most"])
        return asked

    def sentence(self, params: dict[str, Any]) -> str:
        least, most = params["at_least"], params["at_most"]
        if least is not None and most is not None:
            return f"usually buy every {least} to {most} days"
        return (
            f"usually buy every {most} days or sooner" if most else f"usually buy every {least} days or later"
        )


@conditions.register
class AtStake(_OfPace):
    """Who would spend so much in a year at their rhythm: orders a year times what they usually pay."""

    key = "crm.at_stake"
    label = "Money at stake in the coming year"

    class Params(forms.Form):
        at_least = forms.DecimalField(
            label="at least", min_value=Decimal("0.01"), max_digits=12, decimal_places=2
        )

    def asked(self, params: dict[str, Any]) -> Q:
        return Q(at_stake__gte=params["at_least"])

    def sentence(self, params: dict[str, Any]) -> str:
        return f"would spend at least {money(params['at_least'])} a year at their rhythm"

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value or value["clock"] != Clock.PURCHASE:
            return "never bought"
        return f"{money(Decimal(str(value['at_stake'])))} a year; {pacing.words(value)}"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        if not value or not wanted:
            return ""
        more = params["at_least"] - Decimal(str(value["at_stake"]))
        return f"{money(more)} more a year"
