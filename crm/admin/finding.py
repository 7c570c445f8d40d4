"""The box at the top of every page: people, companies and pages, as one types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from crm.access import seeing
from crm.kernel import masking
from crm.people import finding

MOST_PEOPLE = 8
MOST_COMPANIES = 3
MOST_PAGES = 5


@dataclass(frozen=True)
class Hit:
    """One line of what was found."""

    title: str
    description: str
    link: str
    icon: str


def find(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What fits the words typed so far, of what this person may look at."""
    if not (request.user.is_superuser or request.user.get_all_permissions()):
        raise PermissionDenied
    typed = request.GET.get("s", "").strip()
    hits: list[Hit] = []
    by_parts = not seeing.masked_in_lists(request.user)
    if typed and request.user.has_perm("crm.view_contact"):
        hits += map(_person, finding.people(typed, MOST_PEOPLE, by_parts=by_parts))
    if typed and request.user.has_perm("crm.view_company"):
        hits += map(_company, finding.companies(typed, MOST_COMPANIES))
    if typed:
        hits += _pages(site, request, typed.casefold())
    answer = render(request, "crm/found.html", {"hits": hits, "typed": typed, "by_parts": by_parts})
    answer["HX-Trigger"] = "search"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _person(person: Any) -> Hit:
    said = [masking.told(person.email), masking.told(person.phone), str(person.company or "")]
    told = " · ".join(one for one in said if one and one != str(person))
    return Hit(str(person), told, reverse("admin:crm_contact_change", args=[person.pk]), "person")


def _company(company: Any) -> Hit:
    link = reverse("admin:crm_company_change", args=[company.pk])
    return Hit(company.name, "Company", link, "domain")


def _pages(site: Any, request: HttpRequest, typed: str) -> list[Hit]:
    """Of the menu, as this person has it."""
    return [
        Hit(
            str(item["title"]),
            str(group.get("title") or "Page"),
            str(item["link"]),
            item.get("icon") or "tag",
        )
        for group in site.get_sidebar_list(request)
        for item in group["items"]
        if item.get("has_permission") and typed in str(item["title"]).casefold()
    ][:MOST_PAGES]
