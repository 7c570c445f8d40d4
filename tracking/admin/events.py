"""What known people did, the newest first: pages, products, carts, opens and clicks."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from crm.kernel.backoffice import ChoicesDropdownFilter, ReadOnlyAdmin, display
from crm.people import finding
from crm.shop import showing
from tracking.models import Event

LABELS = {"human": "success", "likely_human": "success", "proxy": "warning", "machine": "danger"}


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Keys are made of time, so that their order is the order in which rows were written; no other order of
    all months together is had without sorting them.
    """

    list_display = ["occurred_at", "person", "kind", "page", "by"]
    list_display_links = None
    list_select_related = ["contact"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    sortable_by: list[str] = []
    ordering = ["-id"]
    search_fields = ["id"]
    search_help_text = "Whose: a whole e-mail address, telephone number or outside id."
    fields = ["occurred_at", "person", "kind", "url", "by", "recorded_at"]
    readonly_fields = ["person", "by"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(contact__in=finding.whole(search_term) or []), False

    @display(description="Who")
    def person(self, event: Event) -> str:
        return showing.link(reverse("admin:crm_contact_change", args=[event.contact_id]), event.contact)

    @display(description="Page")
    def page(self, event: Event) -> Any:
        return showing.link(event.url, event.props.get("name") or event.props.get("title") or event.url)

    @display(description="By", label=LABELS)
    def by(self, event: Event) -> tuple[str, str]:
        return event.actor, event.get_actor_display()
