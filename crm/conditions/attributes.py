"""Conditions about who a person is: what they are called, where they live, what they are marked with."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import F, JSONField, Q, QuerySet, TextField, Value
from django.db.models.fields.json import DataContains, HasAnyKeys
from django.db.models.functions import Concat, JSONObject, Upper
from django.db.models.lookups import Exact, IContains, IEndsWith, In, IRegex

from crm.conditions import menus
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Contact
from crm.people.changes import as_of

GROUP = "Person"


class Attribute(Condition):
    """Something that stands on the person: time changes nothing about it, and its writers stir them."""

    group = GROUP

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        return []


@conditions.register
class Name(Attribute):
    """Whose first and last name together contain some letters, as they are called now."""

    key = "crm.name"
    label = "Name"
    exact_in_past = False

    class Params(forms.Form):
        contains = forms.CharField(label="contains", max_length=120)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(IContains(self._name(), params["contains"]))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are called something with “{params['contains']}”"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return self._name()

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"is called {value.strip()}" if (value or "").strip() else "no name known"

    def _name(self) -> Concat:
        return Concat("first_name", Value(" "), "last_name", output_field=TextField())


@conditions.register
class EmailDomain(Attribute):
    """Whose e-mail address is at one of some domains, or at a part of one: acme.example also means
    mail.acme.example. As their address is now.
    """

    key = "crm.email_domain"
    label = "E-mail domain"
    exact_in_past = False

    class Params(forms.Form):
        domains = menus.Words(label="one of", help_text="Such as acme.example, gmail.com.")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        whole = Q(pk__in=[])
        for domain in params["domains"]:
            bare = domain.lstrip("@.")
            whole |= Q(IEndsWith(F("email"), f"@{bare}")) | Q(IEndsWith(F("email"), f".{bare}"))
        return whole

    def sentence(self, params: dict[str, Any]) -> str:
        return f"have an e-mail address at {menus.listed(params['domains'])}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return F("email")

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"at {value.rpartition('@')[2]}" if value else "no e-mail address"


@conditions.register
class Country(Attribute):
    """Who lives in one of some countries, as far as we know."""

    key = "crm.country"
    label = "Country"

    class Params(forms.Form):
        countries = menus.Several(label="one of", offered=menus.countries, called=menus.country_and_code)

        def clean_countries(self) -> list[str]:
            codes = [code.upper() for typed in self.cleaned_data["countries"] for code in typed.split()]
            if wrong := [code for code in codes if not re.fullmatch("[A-Z]{2}", code)]:
                raise forms.ValidationError(f"write two-letter codes, such as DE, not {wrong[0]}")
            return codes

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(In(Upper(as_of("country", at, current=scope.current)), params["countries"]))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"live in {menus.listed(menus.country_name(code) for code in params['countries'])}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("country", at, current=scope.current)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"lives in {menus.country_name(value)}" if value else "country not known"


@conditions.register
class Language(Attribute):
    """Whose language is one of these, whatever its regional form: pt also means pt-BR."""

    key = "crm.language"
    label = "Language"

    class Params(forms.Form):
        language = forms.RegexField(
            r"^\s*[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?(\s*[,;]\s*[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?)*\s*$",
            label="one of",
            max_length=200,
            help_text="Codes such as en, pt-BR.",
            error_messages={"invalid": "write codes of languages, such as en, pt-BR"},
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        codes = "|".join(menus.split(params["language"]))
        return Q(IRegex(as_of("language", at, current=scope.current), f"^({codes})(-.*)?$"))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"speak {menus.listed(menus.split(params['language']))}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("language", at, current=scope.current)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"speaks {value}" if value else "language not known"


def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name]


@conditions.register
class TimeZone(Attribute):
    """Whose own time zone is one of these. Who has none is taken to live in the shop's, but is not meant."""

    key = "crm.time_zone"
    label = "Time zone"

    class Params(forms.Form):
        zones = menus.Several(label="one of", offered=_zones)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(In(as_of("time_zone", at, current=scope.current), params["zones"]))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are in the time zone {menus.listed(params['zones'])}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("time_zone", at, current=scope.current)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"is in {value}" if value else "time zone not known"


@conditions.register
class Source(Attribute):
    """Where we first learned of the person: the shop, an import, a form, a colleague."""

    key = "crm.source"
    label = "Came from"

    class Params(forms.Form):
        sources = menus.Several(label="one of", offered=menus.sources)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(In(as_of("source", at, current=scope.current), params["sources"]))

    def sentence(self, params: dict[str, Any]) -> str:
        return f"first came from {menus.either(params['sources'])}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("source", at, current=scope.current)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"came from “{value}”" if value else "source not known"


_HOW_TAGGED = [("any", "any of these"), ("all", "all of these"), ("none", "none of these")]


@conditions.register
class Tag(Attribute):
    """Who carried any, all or none of some tags, as of then."""

    key = "crm.tag"
    label = "Tags"

    class Params(forms.Form):
        how = forms.ChoiceField(label="carry", choices=_HOW_TAGGED, initial="any", required=False)
        tag = menus.Words(label="tags", help_text="With commas between them.")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        tags = as_of("tags", at, current=scope.current)
        if params["how"] == "all":
            return Q(DataContains(tags, Value(params["tag"], JSONField())))
        carried = Q(HasAnyKeys(tags, params["tag"]))
        return ~carried if params["how"] == "none" else carried

    def sentence(self, params: dict[str, Any]) -> str:
        if params["how"] == "all" and len(params["tag"]) > 1:
            return f"are tagged {' and '.join(f'“{tag}”' for tag in params['tag'])}"
        return f"are {'not ' if params['how'] == 'none' else ''}tagged {menus.either(params['tag'])}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("tags", at, current=scope.current)

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

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        span = timedelta(days=params["days"])
        return [Contact.objects.filter(created_at__range=(since - span, at - span)).values("pk")]

    def sentence(self, params: dict[str, Any]) -> str:
        return f"have been known for at {params['which']} {menus.days(params['days'])}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return JSONObject(since=F("created_at"), at=Value(at.isoformat()))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        since = datetime.fromisoformat(value["since"])
        return f"known since {since.day} {since:%B %Y}"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        known = datetime.fromisoformat(value["at"]) - datetime.fromisoformat(value["since"])
        left = timedelta(days=params["days"]) - known
        # Time makes *at least* true and *at most* false; nothing turns it the other way.
        if left <= timedelta(0) or wanted != (params["which"] == "least"):
            return ""
        return f"{menus.days(math.ceil(left / timedelta(days=1)))} more"


@conditions.register
class TestPerson(Attribute):
    """Who is marked as a test person, whom results never count."""

    key = "crm.is_test"
    label = "Test person"
    exact_in_past = False

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exact(F("is_test"), Value(True)))

    def sentence(self, params: dict[str, Any]) -> str:
        return "are test persons"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return F("is_test")

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return "is a test person" if value else "is no test person"
