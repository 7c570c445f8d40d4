"""Conditions about visits: how often, how long, from where, and by which page. A visit is what one person did
in one browser without half an hour between two acts; its time is from the first act to the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from crm.conditions import words
from crm.conditions.often import Often, OftenForm
from crm.conditions.spans import Span, SpanForm, begins, span_of
from crm.kernel.rules import Condition, Scope, conditions
from crm.people.among import among
from tracking.models import Actor, Event, Visit
from tracking.visits import rollups
from tracking.visits.then import visits_known

GROUP = "Visits"
_PEOPLE = [Actor.HUMAN, Actor.LIKELY_HUMAN]


def visits(span: Span, at: datetime, scope: Scope) -> QuerySet[Visit]:
    """Everybody's visits that began within a stretch of time, as known by then."""
    if scope.current and rollups.are_whole():
        known = Visit.objects.filter(started_at__lte=at)
    else:
        known = visits_known(at, since=_since(span, at), among=scope.among)
    return known.filter(span.q(at, "started_at"))


def passed(span: Span, since: datetime, at: datetime) -> Sequence[QuerySet[Any]]:
    """The contacts of visits that time alone moved out of a stretch of it between two instants."""
    if rollups.are_whole():
        return span.passed(Visit.objects.all(), since, at, "started_at")
    return span.passed(Event.objects.filter(actor__in=_PEOPLE), since, at)


def _since(span: Span, at: datetime) -> datetime | None:
    if span.within_days:
        return at - timedelta(days=span.within_days)
    return begins(span.from_day) if span.from_day else None


class Visits(Often):
    """So many visits of one sort."""

    group = GROUP
    moment = "started_at"

    def sort(self, params: dict[str, Any]) -> Q:
        """Which visits are meant."""
        raise NotImplementedError(f"{type(self).__name__} means no visits")

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Visit]:
        return visits(span_of(params), at, scope).filter(self.sort(params))

    def at_least(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if number > 1:
            return super().at_least(number, params, at, scope)
        return among(scope.narrowed(self.rows(params, at, scope)).order_by().values("contact_id"))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return passed(span_of(params), since, at)


@conditions.register
class Visited(Visits):
    """Who visited the shop: so many times, each visit as long and of as many pages as said. Time is counted
    from the first act of a visit to its last, so that a visit of one page has none.
    """

    key = "tracking.visited"
    label = "Visited the shop"

    class Params(OftenForm, SpanForm):
        minutes = forms.IntegerField(
            label="each of at least so many minutes",
            min_value=1,
            max_value=1440,
            required=False,
            help_text="From its first act to its last: how long the last page was read is not told.",
        )
        pages = forms.IntegerField(
            label="each of at least so many pages", min_value=1, max_value=10_000, required=False
        )
        field_order = ("which", "times", "minutes", "pages")

    def sort(self, params: dict[str, Any]) -> Q:
        found = Q()
        if params["minutes"]:
            found &= Q(seconds__gte=60 * params["minutes"])
        if params["pages"]:
            found &= Q(pages__gte=params["pages"])
        return found

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined("visited the shop", often, _of(params), span_of(params).words)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        rest = words.joined(_of(params), span_of(params).words)
        return words.joined("visit", rest), words.joined("visits", rest)


def _of(params: dict[str, Any]) -> str:
    minutes, pages = params["minutes"], params["pages"]
    long = f"for {words.counted(minutes, 'minute')} or more" if minutes else ""
    wide = f"looking at {words.counted(pages, 'page')} or more" if pages else ""
    return words.joined(long, wide)


@conditions.register
class TimeOnSite(Condition):
    """Who spent so much time in the shop, all visits together. Time is counted from the first act of a visit
    to its last; how long the last page was read is not told.
    """

    key = "tracking.time_on_site"
    label = "Time in the shop"
    group = GROUP

    class Params(SpanForm):
        minutes = forms.IntegerField(
            label="at least so many minutes",
            min_value=1,
            max_value=100_000,
            help_text="All visits together, each from its first act to its last.",
        )
        field_order = ("minutes",)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        rows = scope.narrowed(visits(span_of(params), at, scope)).order_by().values("contact_id")
        people = rows.annotate(spent=Sum("seconds")).filter(spent__gte=60 * params["minutes"])
        return among(people.values("contact_id"))

    def sentence(self, params: dict[str, Any]) -> str:
        spent = words.counted(params["minutes"], "minute")
        return words.joined("spent at least", spent, "in the shop", span_of(params).words)

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        mine = visits(span_of(params), at, scope).filter(contact_id=OuterRef("pk")).order_by()
        return Coalesce(Subquery(mine.values("contact_id").annotate(spent=Sum("seconds")).values("spent")), 0)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"{words.counted((value or 0) // 60, 'minute')} in the shop"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        missing = params["minutes"] - (value or 0) // 60
        return words.counted(missing, "more minute", "more minutes") if wanted and missing > 0 else ""

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return passed(span_of(params), since, at)


AD = "ad"
_CAME = {
    "source": ("a source", "came from the source"),
    "medium": ("a medium", "came by the medium"),
    "campaign": ("a campaign", "came by the campaign"),
    "referrer": ("another site", "came from the site"),
    AD: ("an advertisement", "came by an advertisement"),
}


@conditions.register
class CameBy(Visits):
    """Who came to the shop by a campaign, a source, a medium, another site or an advertisement, as the first
    page of a visit says: utm_source, utm_medium and utm_campaign in its address, the site that sent them, or
    the mark of an advertiser (gclid, msclkid, fbclid…). Facebook marks links in posts, too.
    """

    key = "tracking.came_by"
    label = "Came by a campaign, a site or an advertisement"

    class Params(OftenForm, SpanForm):
        by = forms.ChoiceField(label="by", choices=[(key, label) for key, (label, _) in _CAME.items()])
        value = forms.CharField(
            label="whose name contains", max_length=200, required=False, help_text="Not for advertisements."
        )
        field_order = ("by", "value", "which", "times")

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            if cleaned.get("by") == AD and cleaned.get("value"):
                self.add_error("value", "advertisements have no name here: leave this blank")
            if cleaned.get("by") not in (None, AD) and not cleaned.get("value"):
                self.add_error("value", "say its name, or a part of it")
            return cleaned

    def sort(self, params: dict[str, Any]) -> Q:
        if params["by"] == AD:
            return Q(is_ad=True)
        return Q(**{f"{params['by']}__icontains": params["value"]})

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined(self._way(params), often, span_of(params).words)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        way = words.joined(self._way(params).removeprefix("came "), span_of(params).words)
        return f"visit {way}", f"visits {way}"

    def _way(self, params: dict[str, Any]) -> str:
        said = _CAME[params["by"]][1]
        return f"{said} “{params['value']}”" if params["value"] else said


@conditions.register
class EntryOrExit(Visits):
    """Who began or ended a visit at a certain page: where a message led to, or where they gave up."""

    key = "tracking.entry_or_exit"
    label = "Came or left at a page"

    class Params(OftenForm, SpanForm):
        end = forms.ChoiceField(
            label="the", choices=[("entry_url", "first page"), ("exit_url", "last page")], initial="entry_url"
        )
        address = forms.CharField(
            label="has an address that contains", max_length=500, help_text="Such as /sale."
        )
        field_order = ("end", "address", "which", "times")

    def sort(self, params: dict[str, Any]) -> Q:
        return Q(**{f"{params['end']}__icontains": params["address"]})

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        verb = "came" if params["end"] == "entry_url" else "left"
        where = f"{verb} at a page whose address contains “{params['address']}”"
        return words.joined(where, often, span_of(params).words)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        verb = "beginning" if params["end"] == "entry_url" else "ending"
        where = words.joined(f"{verb} at “{params['address']}”", span_of(params).words)
        return f"visit {where}", f"visits {where}"
