"""Conditions about who a person is: what they are called, where they live, what they are marked with."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, Subquery, TextField, Value
from django.db.models.fields.json import DataContains
from django.db.models.functions import Concat, Upper
from django.db.models.lookups import IContains, In, IRegex

from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Channel, ContactPoint, Segment, SegmentMembership
from crm.people.changes import as_of

GROUP = "Person"


@conditions.register
class Name(Condition):
    """Whose first and last name together contain some letters, as they are called now."""

    key = "crm.name"
    label = "Name"
    group = GROUP
    exact_in_past = False

    class Params(forms.Form):
        contains = forms.CharField(label="contains", max_length=120)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(IContains(self._name(), params["contains"]))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are called something with “{params['contains']}”"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return self._name()

    def _name(self) -> Concat:
        return Concat("first_name", Value(" "), "last_name", output_field=TextField())


@conditions.register
class Country(Condition):
    """Who lives in one of some countries, given by their two-letter codes."""

    key = "crm.country"
    label = "Country"
    group = GROUP

    class Params(forms.Form):
        countries = forms.RegexField(
            r"^\s*[A-Za-z]{2}(\s*[,;\s]\s*[A-Za-z]{2})*\s*$",
            label="one of",
            max_length=400,
            help_text="Two-letter codes such as DE, AT.",
            error_messages={"invalid": "write two-letter codes, such as DE, AT"},
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(In(Upper(as_of("country", at)), self._codes(params)))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"live in {' or '.join(self._codes(params))}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("country", at)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"lives in {value}" if value else "country not known"

    def _codes(self, params: dict[str, Any]) -> list[str]:
        return params["countries"].replace(",", " ").replace(";", " ").upper().split()


@conditions.register
class Language(Condition):
    """Whose language is this one, whatever its regional form: pt also means pt-BR."""

    key = "crm.language"
    label = "Language"
    group = GROUP

    class Params(forms.Form):
        language = forms.RegexField(
            r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
            label="is",
            max_length=12,
            help_text="Such as en or pt-BR.",
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(IRegex(as_of("language", at), f"^{params['language']}(-.*)?$"))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"speak {params['language']}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("language", at)


@conditions.register
class Tag(Condition):
    """Who carries a tag, as of then."""

    key = "crm.tag"
    label = "Tag"
    group = GROUP

    class Params(forms.Form):
        tag = forms.CharField(label="is", max_length=80)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(DataContains(as_of("tags", at), [params["tag"]]))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are tagged “{params['tag']}”"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("tags", at)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"tagged {', '.join(map(str, value))}" if value else "no tags"


@conditions.register
class Since(Condition):
    """Whom we have known for at least, or at most, so many days."""

    key = "crm.known_since"
    label = "Known for"
    group = GROUP

    class Params(forms.Form):
        which = forms.ChoiceField(label="for", choices=[("least", "at least"), ("most", "at most")])
        days = forms.IntegerField(label="days", min_value=1, max_value=36_500)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        then = at - timedelta(days=params["days"])
        known = Q(created_at__lte=at)
        return known & (Q(created_at__lte=then) if params["which"] == "least" else Q(created_at__gte=then))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"have been known for at {params['which']} {params['days']} days"


@conditions.register
class Reachable(Condition):
    """Who has an address on a channel that has not bounced for good, as it is now."""

    key = "crm.reachable"
    label = "Has an address"
    group = GROUP
    exact_in_past = False

    class Params(forms.Form):
        channel = forms.ChoiceField(label="for", choices=Channel.choices)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        points = ContactPoint.objects.filter(contact=OuterRef("pk"), channel=params["channel"])
        usable = points.filter(status__in=[ContactPoint.Status.OK, ContactPoint.Status.SOFT])
        return Q(Exists(usable))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"can be reached by {Channel(params['channel']).label.lower()}"


def _segments() -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in Segment.objects.order_by("name").values_list("pk", "name")]


@conditions.register
class InSegment(Condition):
    """Who was in a segment at that moment, by its stored membership."""

    key = "crm.in_segment"
    label = "In segment"
    group = "Segments"

    class Params(forms.Form):
        segment = forms.ChoiceField(label="is", choices=_segments)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(self._stays(params, at)))

    def sentence(self, params: dict[str, Any]) -> str:
        name = Segment.objects.values_list("name", flat=True).get(pk=params["segment"])
        return f"are in the segment “{name}”"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return Subquery(self._stays(params, at).values("entered_at")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"since {value.day} {value:%B %Y}" if value else "not in it"

    def _stays(self, params: dict[str, Any], at: datetime) -> Any:
        stays = SegmentMembership.objects.filter(contact=OuterRef("pk"), segment=uuid.UUID(params["segment"]))
        return stays.filter(Q(left_at=None) | Q(left_at__gt=at), entered_at__lte=at)
