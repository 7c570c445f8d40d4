"""Hand-overs: who was asked to take which lead, what they answered and why, and how fast sales is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from crm.audience.leads import answers, pace
from crm.kernel import clock
from crm.kernel.backoffice import ReadOnlyAdmin, display
from crm.models import HandOver
from crm.shop import showing

SPANS = (30, 90)
LABELS = {
    "waits": "info",
    "accepted": "success",
    "refused": "danger",
    "passed on": "warning",
    "overtaken by the rules": "info",
}


@admin.register(HandOver)
class HandOverAdmin(ReadOnlyAdmin):
    list_display = ["asked_on", "person", "definition", "owner", "said", "because", "answered_at"]
    list_display_links = None
    list_filter = ["answer", "reason", "definition"]
    list_select_related = ["contact", "definition", "owner"]
    sortable_by = ["asked_on"]
    ordering = ["-occurred_at", "id"]
    list_before_template = "crm/hand_overs_intro.html"
    fields = [
        "person",
        "definition",
        "owner",
        "chosen",
        ("occurred_at", "answer_by"),
        "said",
        "because",
        ("answered_at", "answered_by"),
    ]
    readonly_fields = ["person", "said", "because"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        told: dict[str, Any] = {"title": "Hand-overs"}
        if self.has_view_permission(request):
            now = clock.now()
            told["reports"] = [(days, pace.report(now - timedelta(days=days), now)) for days in SPANS]
        return super().changelist_view(request, (extra_context or {}) | told)

    @display(description="Asked on", ordering="occurred_at")
    def asked_on(self, row: HandOver) -> str:
        return date_format(timezone.localtime(row.occurred_at), "j M Y, H:i")

    @display(description="Who", ordering="contact__last_name")
    def person(self, row: HandOver) -> str:
        return showing.link(reverse("admin:crm_contact_change", args=[row.contact_id]), row.contact)

    @display(description="Answer", label=LABELS)
    def said(self, row: HandOver) -> str:
        return row.get_answer_display()

    @display(description="Because")
    def because(self, row: HandOver) -> str:
        return answers.because(row.reason, row.words)
