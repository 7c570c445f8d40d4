"""Conditions about whom a person belongs to: their colleague here, and the company they work for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Upper
from django.db.models.lookups import Exact, In

from crm.conditions import menus
from crm.conditions.attributes import Attribute
from crm.kernel.kinds import BrokenParams
from crm.kernel.rules import Scope, conditions
from crm.models import Company
from crm.people.changes import as_of

NOBODY, SOMEBODY = "nobody", "somebody"


def _colleagues() -> list[tuple[str, str]]:
    users = get_user_model().objects.filter(is_staff=True).order_by("username")
    called = [(str(user.pk), user.get_full_name() or user.get_username()) for user in users]
    return [(NOBODY, "nobody"), (SOMEBODY, "anybody"), *called]


@conditions.register
class Owner(Attribute):
    """Whom one colleague looks after, or anybody, or nobody, as of then."""

    key = "crm.owner"
    label = "Owner"

    class Params(forms.Form):
        owner = forms.ChoiceField(label="is", choices=_colleagues)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        owner = as_of("owner", at, current=scope.current)
        if params["owner"] == SOMEBODY:
            return ~Q(Exact(owner, Value("")))
        return Q(Exact(owner, Value("" if params["owner"] == NOBODY else params["owner"])))

    def sentence(self, params: dict[str, Any]) -> str:
        if params["owner"] in (NOBODY, SOMEBODY):
            return f"are looked after by {params['owner']}"
        called = _called(params["owner"])
        if called is None:
            raise BrokenParams("owner", "there is no such colleague (any more)")
        return f"are looked after by {called}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return as_of("owner", at, current=scope.current)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "looked after by nobody"
        return f"looked after by {_called(value) or 'a colleague who has left'}"


def _called(key: str) -> str | None:
    user = get_user_model().objects.filter(pk=key).first()
    return None if user is None else user.get_full_name() or user.get_username()


class _OfCompany(Attribute):
    """Which company a person works for is known for the past; what the company is called is as of now."""

    group = "Company"
    exact_in_past = False

    def company(self, at: datetime, scope: Scope) -> Any:
        return as_of("company", at, current=scope.current)

    def works_for(self, companies: QuerySet[Company], at: datetime, scope: Scope) -> Q:
        if scope.current:
            return Q(In(F("company"), companies.values("pk")))
        keys = companies.annotate(as_text=Cast("pk", TextField())).values("as_text")
        return Q(In(self.company(at, scope), keys))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return self.company(at, scope)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "no company known"
        company = Company.objects.filter(pk=value).first()
        if company is None:
            return "worked for a company that is gone"
        about = ", ".join(filter(None, [company.domain, company.country]))
        return f"works for {company.name}{f' ({about})' if about else ''}"


@conditions.register
class HasCompany(_OfCompany):
    """Who works for a company we know, or for none, as of then."""

    key = "crm.has_company"
    label = "Has a company"
    exact_in_past = True

    class Params(forms.Form):
        which = forms.ChoiceField(
            label="works for", choices=[("yes", "a company"), ("no", "none we know")], initial="yes"
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        none = Q(Exact(self.company(at, scope), Value("")))
        return none if params["which"] == "no" else ~none

    def sentence(self, params: dict[str, Any]) -> str:
        return "work for no company we know" if params["which"] == "no" else "work for a company"


@conditions.register
class CompanyName(_OfCompany):
    """Who works for a company whose name is, begins with or contains some words."""

    key = "crm.company_name"
    label = "Company name"

    class Params(forms.Form):
        how = forms.ChoiceField(
            label="name",
            choices=[("contains", "contains"), ("is", "is exactly"), ("begins", "begins with")],
            initial="contains",
        )
        name = forms.CharField(label="words", max_length=200)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        lookup = {"contains": "icontains", "is": "iexact", "begins": "istartswith"}[params["how"]]
        return self.works_for(Company.objects.filter(**{f"name__{lookup}": params["name"]}), at, scope)

    def sentence(self, params: dict[str, Any]) -> str:
        how = {"contains": "with", "is": "called", "begins": "whose name begins with"}[params["how"]]
        where = " in its name" if params["how"] == "contains" else ""
        return f"work for a company {how} “{params['name']}”{where}"


@conditions.register
class CompanyDomain(_OfCompany):
    """Who works for a company with one of some web domains, or a part of one."""

    key = "crm.company_domain"
    label = "Company domain"

    class Params(forms.Form):
        domains = menus.Words(label="one of", help_text="Such as acme.example.")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        found = Q(pk__in=[])
        for domain in params["domains"]:
            bare = domain.lstrip("@.").removeprefix("www.")
            found |= Q(domain__iexact=bare) | Q(domain__iendswith=f".{bare}")
        return self.works_for(Company.objects.filter(found), at, scope)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"work for a company at {menus.listed(params['domains'])}"


def _company_countries() -> list[tuple[str, str]]:
    codes = Company.objects.exclude(country="").values_list("country", flat=True).distinct()
    found = [(code, menus.country_and_code(code)) for code in codes]
    return sorted(found, key=lambda choice: choice[1])


@conditions.register
class CompanyCountry(_OfCompany):
    """Who works for a company in one of some countries."""

    key = "crm.company_country"
    label = "Company country"

    class Params(forms.Form):
        countries = menus.Several(label="one of", offered=_company_countries, called=menus.country_and_code)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        codes = [code.upper() for code in params["countries"]]
        upper = Company.objects.annotate(in_capitals=Upper("country"))
        return self.works_for(upper.filter(in_capitals__in=codes), at, scope)

    def sentence(self, params: dict[str, Any]) -> str:
        named = (menus.country_name(code.upper()) for code in params["countries"])
        return f"work for a company in {menus.listed(named)}"
