"""From the list of contacts: those in a segment or with a status, and people put on a fixed list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from crm.audience import lists
from crm.kernel import clock
from crm.kernel.backoffice import DropdownFilter, action
from crm.models import Contact, Segment, SegmentMembership, Status
from crm.people import statuses

MOST_AT_ONCE = 100_000


class InSegment(DropdownFilter):
    """People who are in a segment now."""

    title = "in segment"
    parameter_name = "in_segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Segment.objects.order_by("name").values_list("pk", "name")]

    def has_output(self) -> bool:
        # Also where there is no segment (any more): a link to one shows nobody then, not everybody.
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        if not self.value():
            return queryset
        try:
            segment = UUID(str(self.value()))
        except ValueError:
            return queryset.none()
        stays = SegmentMembership.objects.filter(contact=OuterRef("pk"), segment=segment, left_at=None)
        return queryset.filter(Exists(stays))


class HasStatus(DropdownFilter):
    """People who hold a status now, such as VIP."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Status.objects.values_list("key", "name"))

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        if not self.value():
            return queryset
        if "\0" in str(self.value()):
            return queryset.none()
        running = statuses.held_at(clock.now(), current=True)
        return queryset.filter(Exists(running.filter(contact=OuterRef("pk"), status__key=self.value())))


@action(description="Add to a fixed list", permissions=["change_lists"])
def add_to_list(model_admin: Any, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
    """First asks for the list, then puts the chosen people on it."""
    fixed = Segment.objects.filter(kind=Segment.Kind.FIXED).order_by("name")
    chosen = _chosen(request, fixed)
    people = queryset.order_by().values_list("pk", flat=True)
    if chosen is None:
        return _ask(model_admin, request, fixed, people)
    ids = list(people[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE:
        messages.error(request, f"At most {MOST_AT_ONCE:,} people at once: a segment with a rule takes more.")
        return None
    added = lists.add(chosen, ids, clock.now())
    messages.success(request, f"{added:,} of {len(ids):,} people are new on “{chosen}”.")
    return redirect("admin:crm_segment_change", chosen.pk)


def _chosen(request: HttpRequest, fixed: QuerySet[Segment]) -> Segment | None:
    try:
        return fixed.filter(pk=UUID(request.POST.get("list", ""))).first()
    except ValueError:
        return None


def _ask(model_admin: Any, request: HttpRequest, fixed: QuerySet[Segment], people: Any) -> HttpResponse:
    context = model_admin.admin_site.each_context(request) | {
        "title": "Add to a fixed list",
        "opts": model_admin.model._meta,
        "lists": fixed,
        "number": people.count(),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox": ACTION_CHECKBOX_NAME,
        "across": request.POST.get("select_across", "0"),
        "action_name": request.POST.get("action", ""),
    }
    return render(request, "crm/add_to_list.html", context)
