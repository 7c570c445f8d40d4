"""Conditions about what people do: acts so often, of what sort, and when. Acts of machines are nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThanOrEqual

from crm.conditions import goods, words
from crm.conditions.goods import GoodsForm
from crm.conditions.often import Often, OftenForm
from crm.conditions.spans import SpanForm, span_of, turned
from crm.kernel.rules import ENTERED_AT, Scope, conditions
from crm.people.among import among
from tracking.conditions import counts, told
from tracking.conditions.told import ToldForm
from tracking.models import Actor, DailyCount, Event, EventKind
from tracking.visits import rollups

GROUP = "Activity"
PEOPLE = [Actor.HUMAN, Actor.LIKELY_HUMAN]
# Opens tell of mail programs as much as of people: no rule asks for them.
_ASKED = [(kind.value, kind.label) for kind in EventKind if kind != EventKind.OPEN]
_VERBS = {
    EventKind.PAGE: ("looked at", "look at", "a page"),
    EventKind.PRODUCT: ("looked at", "look at", "a product"),
    EventKind.FAVOURITE: ("saved", "save", "a product"),
    EventKind.SEARCH: ("searched", "search", ""),
    EventKind.CART: ("changed", "change", "the cart"),
    EventKind.CHECKOUT: ("went to", "go to", "the checkout"),
    EventKind.IDENTIFY: ("gave", "give", "their address"),
    EventKind.CLICK: ("clicked in", "click in", "a message"),
    EventKind.LANDING: ("arrived from", "arrive from", "a message"),
    EventKind.RESTORE: ("brought back", "bring back", "a cart"),
    EventKind.REPLY: ("answered", "answer", "a message"),
    EventKind.CUSTOM: ("did", "do", ""),
}


class ActForm(GoodsForm):
    """What was done, with what, and what it told."""

    event = forms.ChoiceField(label="what", choices=_ASKED)
    name = forms.CharField(
        label="called",
        max_length=40,
        required=False,
        help_text="The name of the shop's own event, as its developer tells it.",
    )

    def clean_name(self) -> str:
        return self.cleaned_data["name"].lower()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_own = cleaned.get("event") == EventKind.CUSTOM
        if is_own and not cleaned.get("name") and "name" not in self.errors:
            self.add_error("name", "say what the shop's own event is called")
        if not is_own and cleaned.get("name") and cleaned.get("event"):
            self.add_error("name", "only the shop's own events have a name: leave this blank")
        if cleaned.get("product") and not cleaned["product"].ids:
            self.add_error("product", "this product was deleted")
        return cleaned


class Acts(Often):
    """So many acts of one sort."""

    group = GROUP

    def when(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return span_of(params).q(at)

    def span_in_words(self, params: dict[str, Any]) -> str:
        return span_of(params).words

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Event]:
        kind = Q(kind=params["event"])
        if params["name"]:
            kind &= Q(Exact(told.prop("event"), Value(params["name"])))
        return Event.objects.filter(
            kind,
            self.when(params, at, scope),
            told.on_events(params),
            _of_goods(params, category=told.prop("category"), brand=told.prop("brand")),
            actor__in=PEOPLE,
            occurred_at__lte=at,
            recorded_at__lte=at,
        )

    def at_least(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if not _are_counted(params, scope):
            return super().at_least(number, params, at, scope)
        events = self.rows(params, at, scope)
        days = counts.days_of(span_of(params), at)
        return among(counts.at_least(number, scope.narrowed(_counts(params)), events, days))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        days = span_of(params).within_days
        if not days:
            return []
        if rollups.are_whole():
            return [counts.left_behind(_counts(params), days, since, at)]
        return [turned(Event.objects.filter(kind=params["event"], actor__in=PEOPLE), days, since, at)]

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        if not _are_counted(params, scope):
            return super().evidence(params, at, scope)
        return counts.told(_counts(params), self.rows(params, at, scope), counts.days_of(span_of(params), at))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value or not value["number"]:
            return "never"
        return f"{words.times(value['number'])}, last on {words.day(value['last'])}"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        """So many times more; what was done cannot be undone, so fewer only means waiting."""
        has = (value or {}).get("number", 0)
        needed = params["times"] if wanted else params["times"] + 1
        is_more = (params["which"] == words.MOST) != wanted
        if not is_more or needed <= has:
            return ""
        return words.joined(past(params), "once" if needed - has == 1 else f"{needed - has:,} times", "more")


@conditions.register
class Did(Acts):
    """Who looked at, saved, searched or did something of the shop's own: at least, at most or exactly so
    many times; ever, in the last days, or between two days; with what, and telling what.
    """

    key = "tracking.did"
    label = "Did something"

    class Params(OftenForm, ActForm, ToldForm, SpanForm):
        field_order = ("event", "name", "which", "times", "category", "brand", "product")

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined(past(params), often, self.span_in_words(params))


@conditions.register
class DidNot(Acts):
    """Who did not do something: ever, in the last days, or between two days. People who were never here are
    among them.
    """

    key = "tracking.did_not"
    label = "Did not do something"

    class Params(ActForm, ToldForm, SpanForm):
        field_order = ("event", "name", "category", "brand", "product")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return ~self.at_least(1, params, at, scope)

    def sentence(self, params: dict[str, Any]) -> str:
        span = span_of(params)
        said = f"never {past(params)}" if span.is_ever else f"did not {_phrase(params, 1)}"
        return words.joined(said, span.words)

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        return "" if wanted else words.joined(past(params), "once")


@conditions.register
class DidSinceEntering(Acts):
    """Who did something after entering the campaign that asks, such as clicking one of its messages."""

    key = "tracking.did_since_entering"
    label = "Did something since entering"
    needs = frozenset({ENTERED_AT})

    class Params(OftenForm, ActForm, ToldForm):
        field_order = ("event", "name", "which", "times", "category", "brand", "product")

    def when(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(occurred_at__gte=scope.inside.entered_at)

    def span_in_words(self, params: dict[str, Any]) -> str:
        return "since entering"

    def at_least(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        # Everybody entered at a moment of their own, so their acts are counted one by one.
        mine = self.rows(params, at, scope).filter(contact_id=OuterRef("pk"))
        if number == 1:
            return Q(Exists(mine))
        counted = mine.order_by().values("contact_id").annotate(number=Count("pk")).values("number")
        return Q(GreaterThanOrEqual(Coalesce(Subquery(counted), 0), number))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return Often.evidence(self, params, at, scope)

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return []

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined(past(params), often, "since entering")


def past(params: dict[str, Any]) -> str:
    """What was done, with what: "looked at a product from Philips"."""
    return _phrase(params, 0)


def _phrase(params: dict[str, Any], form: int) -> str:
    *verbs, what = _VERBS[EventKind(params["event"])]
    if params["name"]:
        what = f"“{params['name']}”"
    elif params["product"] and params["event"] in (EventKind.PRODUCT, EventKind.FAVOURITE):
        what = str(params["product"])
        params = params | {"product": ""}
    return words.joined(verbs[form], what, goods.in_words(params), told.in_words(params))


def _are_counted(params: dict[str, Any], scope: Scope) -> bool:
    return scope.current and not told.is_asked(params) and rollups.are_whole()


def _counts(params: dict[str, Any]) -> QuerySet[DailyCount]:
    kind = f"{EventKind.CUSTOM}:{params['name']}" if params["name"] else params["event"]
    rows = DailyCount.objects.filter(_of_goods(params), kind=kind)
    # Said outright, so that the planner sees the index of those that have one.
    for name in ("category", "brand"):
        if params[name]:
            rows = rows.exclude(**{name: ""})
    return rows


def _of_goods(params: dict[str, Any], **columns: Any) -> Q:
    found = Q()
    for name, longest in (("category", 200), ("brand", 120)):
        if params[name]:
            column = told.small(columns[name], longest) if columns else name
            said = told.small(Value(params[name]), longest)
            found &= Q(Exact(column, said)) if columns else Q(**{name: said})
    if params["product"]:
        found &= Q(product_id__in=params["product"].ids)
    return found
