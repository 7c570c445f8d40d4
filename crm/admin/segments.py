"""Segments: a rule, how many people it means now, ten of them, and why one person is in or out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from crm.audience.previewing import preview
from crm.kernel import clock, rules
from crm.kernel.backoffice import ModelAdmin, display
from crm.models import Contact, Segment
from crm.people import identity


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    list_display = ["name", "size", "in_words", "refreshed_at", "state"]
    sortable_by = ["name", "size"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = ["name", "description", "rule", "interval", "crontab", "size", "refreshed_at", "problem"]
    readonly_fields = ["size", "refreshed_at", "problem"]
    change_form_outer_after_template = "crm/segment_page.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        segment = self.get_object(request, object_id)
        if segment is not None and self.has_view_permission(request, segment):
            extra_context = (extra_context or {}) | _page(segment, request)
        return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        if "rule" in form.changed_data:
            obj.due_at = None  # Due at once.
        super().save_model(request, obj, form, change)

    @display(description="In words")
    def in_words(self, segment: Segment) -> str:
        if rules.is_blank(segment.rule):
            return "Nobody yet: add a condition."
        return rules.sentence(segment.rule)

    @display(description="State", label={"well": "success", "broken": "danger"})
    def state(self, segment: Segment) -> tuple[str, str]:
        return ("broken", "broken") if segment.problem else ("well", "well")


def _page(segment: Segment, request: HttpRequest) -> dict[str, Any]:
    now = clock.now()
    typed = request.GET.get("person", "").strip()
    digest = identity.hash_of(typed) if typed else None
    person = Contact.objects.filter(points__address_hash=digest, merged_into=None).first() if digest else None
    return {
        "preview": preview(segment.rule, now) if not rules.is_blank(segment.rule) else None,
        "person_typed": typed,
        "person": person,
        "explanation": rules.explain(
            Contact.objects.filter(pk=person.pk), segment.rule, now, rules.Scope(current=True)
        )
        if person and not rules.is_blank(segment.rule)
        else None,
    }
