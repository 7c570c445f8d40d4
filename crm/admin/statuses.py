"""Statuses such as VIP: what one is, who gets it by rule, and the hand that gives or ends it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from crm.access import reach
from crm.conditions.words import day
from crm.kernel import clock, rules
from crm.kernel.backoffice import ModelAdmin, display
from crm.models import Status
from crm.people import statuses
from crm.ticking import ring


@admin.register(Status)
class StatusAdmin(ModelAdmin):
    list_display = ["name", "key", "in_words", "people", "lasts", "state"]
    sortable_by = ["name"]
    search_fields = ["name", "key"]
    ordering = ["name"]
    fields = ["name", "key", "good_for", "lasts_days", "rule"]
    list_before_template = "crm/statuses_intro.html"
    change_form_outer_before_template = "crm/status_page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Status]:
        running = statuses.held_at(clock.now(), current=True).filter(status=OuterRef("pk")).order_by()
        number = running.values("status").annotate(number=Count("pk")).values("number")
        return super().get_queryset(request).annotate(holding=Coalesce(Subquery(number), 0))

    def get_readonly_fields(self, request: HttpRequest, obj: Status | None = None) -> list[str]:
        return ["key"] if obj else []

    def get_urls(self) -> list[Any]:
        hand = self.admin_site.admin_view(require_POST(self.hand))
        return [path("hand/", hand, name="crm_status_hand"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Status | None = None) -> bool:
        """What somebody held is history."""
        held = obj is not None and obj.terms.exists()
        return not held and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Status, form: Any, change: bool) -> None:
        if "rule" in form.changed_data:
            obj.refreshed_at = None  # Asked of everybody by the next tick.
        super().save_model(request, obj, form, change)
        ring("crm.statuses")

    def hand(self, request: HttpRequest) -> HttpResponse:
        """Give, renew or end a status of one person."""
        if not request.user.has_perm("crm.change_contactstatus"):
            raise PermissionDenied
        contact = reach.person(_id(request.POST.get("contact", "")))
        status = get_object_or_404(Status, pk=_id(request.POST.get("status", "")))
        by, now = request.user.get_username(), clock.now()
        if request.POST.get("do") == "grant":
            term = statuses.grant(contact.pk, status, now, by)
            messages.success(request, f"{contact} is {status} until {day(term.until)}.")
        elif request.POST.get("do") != "end":
            raise Http404("There is nothing else to do with a status.")
        elif statuses.end(contact.pk, status, now, by):
            messages.success(request, f"{contact} is no longer {status}.")
        else:
            messages.warning(request, f"{contact} was not {status} any more.")
        return redirect("admin:crm_contact_change", contact.pk)

    @display(description="Who gets it")
    def in_words(self, status: Status) -> str:
        return "Given by hand." if rules.is_blank(status.rule) else rules.sentence(status.rule)

    @display(description="Hold it now")
    def people(self, status: Any) -> str:
        return format_html(
            '<a class="rk-link" href="{}?status={}">{}</a>',
            reverse("admin:crm_contact_changelist"),
            status.key,
            f"{status.holding:,}",
        )

    @display(description="Lasts")
    def lasts(self, status: Status) -> str:
        return f"{status.lasts_days:,} day{'' if status.lasts_days == 1 else 's'}"

    @display(description="State", label={"well": "success", "broken": "danger"})
    def state(self, status: Status) -> tuple[str, str]:
        return ("broken", f"broken: {status.problem}") if status.problem else ("well", "kept up")


def _id(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise Http404("There is no such row.") from None
