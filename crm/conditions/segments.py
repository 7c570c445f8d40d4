"""Conditions about segments: being in one, having come into one or gone out of it, by stored membership.

A segment that was deleted, is broken, or was never counted makes the condition broken: nobody is meant, in
whatever sense it is asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from crm.conditions import menus
from crm.kernel.kinds import BrokenParams
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Segment, SegmentMembership

GROUP = "Segments"


def _segments() -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in Segment.objects.order_by("name").values_list("pk", "name")]


class SegmentParams(forms.Form):
    segment = forms.ChoiceField(label="segment", choices=_segments)


class _AboutSegment(Condition):
    group = GROUP

    def segment(self, params: dict[str, Any]) -> Segment:
        """The segment, if what is stored of it can be trusted."""
        found = Segment.objects.filter(pk=params["segment"]).first()
        if found is None:
            raise BrokenParams("segment", "there is no such segment (any more)")
        if found.problem:
            raise BrokenParams("segment", f"the segment “{found.name}” is closed: {found.problem}")
        is_counted = found.kind == Segment.Kind.FIXED or found.refreshed_at is not None
        if not is_counted and not SegmentMembership.objects.filter(segment=found).exists():
            raise BrokenParams("segment", f"the segment “{found.name}” has not been counted yet")
        return found

    def stays(self, params: dict[str, Any], at: datetime) -> QuerySet[SegmentMembership]:
        return SegmentMembership.objects.filter(segment=uuid.UUID(params["segment"]), entered_at__lte=at)

    def meant(self, params: dict[str, Any], at: datetime, current: bool) -> QuerySet[SegmentMembership]:
        """The stays that make it true."""
        raise NotImplementedError

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        self.segment(params)
        stays = scope.narrowed(self.meant(params, at, scope.current))
        return Q(pk__in=stays.values("contact_id"))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        last = self.stays(params, at).filter(contact=OuterRef("pk")).order_by("-entered_at")
        told = last.annotate(
            told=JSONObject(entered=F("entered_at"), left=F("left_at"), at=Value(at.isoformat()))
        )
        return Subquery(told.values("told")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "never in it"
        entered = f"in it since {_day(value['entered'])}"
        if value["left"] is None or _moment(value["left"]) > _moment(value["at"]):
            return entered
        return f"was {entered}, left it on {_day(value['left'])}"


def _moved(params: dict[str, Any], column: str, since: datetime, at: datetime) -> QuerySet[Any]:
    """Whoever entered or left between two instants: a range of an index."""
    moved = SegmentMembership.objects.filter(segment=uuid.UUID(params["segment"]))
    return moved.filter(**{f"{column}__gt": since, f"{column}__lte": at}).values("contact_id")


@conditions.register
class InSegment(_AboutSegment):
    """Who was in a segment at that moment, by its stored membership."""

    key = "crm.in_segment"
    label = "In segment"

    class Params(SegmentParams):
        pass

    def meant(self, params: dict[str, Any], at: datetime, current: bool) -> QuerySet[SegmentMembership]:
        if current:
            return SegmentMembership.objects.filter(segment=uuid.UUID(params["segment"]), left_at=None)
        return self.stays(params, at).filter(Q(left_at=None) | Q(left_at__gt=at))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        return [_moved(params, column, since, at) for column in ("entered_at", "left_at")]

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are in the segment “{self.segment(params).name}”"


class MovedParams(SegmentParams):
    within_days = forms.IntegerField(
        label="in the last days", min_value=1, max_value=36_500, required=False, help_text="Blank: ever."
    )


class _Moved(_AboutSegment):
    column = ""

    class Params(MovedParams):
        pass

    def meant(self, params: dict[str, Any], at: datetime, current: bool) -> QuerySet[SegmentMembership]:
        stays = self.stays(params, at).filter(**{f"{self.column}__lte": at})
        if params["within_days"]:
            stays = stays.filter(**{f"{self.column}__gt": at - timedelta(days=params["within_days"])})
        return stays

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        moved = [_moved(params, self.column, since, at)]
        if params["within_days"]:
            span = timedelta(days=params["within_days"])
            moved.append(_moved(params, self.column, since - span, at - span))
        return moved

    def when(self, params: dict[str, Any]) -> str:
        return f" in the last {menus.in_days(params['within_days'])}" if params["within_days"] else ""


@conditions.register
class EnteredSegment(_Moved):
    """Who came into a segment in the last days, or ever; whether they are in it still is another question."""

    key = "crm.entered_segment"
    label = "Entered segment"
    column = "entered_at"

    def sentence(self, params: dict[str, Any]) -> str:
        return f"entered the segment “{self.segment(params).name}”{self.when(params)}"


@conditions.register
class LeftSegment(_Moved):
    """Who went out of a segment in the last days, or ever; some may be back in it."""

    key = "crm.left_segment"
    label = "Left segment"
    column = "left_at"

    def sentence(self, params: dict[str, Any]) -> str:
        return f"left the segment “{self.segment(params).name}”{self.when(params)}"


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _day(told: str) -> str:
    day = _moment(told)
    return f"{day.day} {day:%B %Y}"
