"""Decisions: why somebody did or did not get something."""

from django.contrib import admin
from django.urls import reverse

from campaigns.models import Decision
from crm.kernel.backoffice import ReadOnlyAdmin, display
from crm.shop.showing import link

LABELS = {
    "entered": "info",
    "queued": "info",
    "sent": "success",
    "held_out": "warning",
    "waited": "info",
    "joined": "success",
    "skipped": "warning",
    "suppressed": "warning",
    "left": "info",
    "failed": "danger",
}


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ["decided_at", "person", "what", "words", "campaign"]
    list_filter = ["verdict", "campaign"]
    sortable_by = ["decided_at"]
    ordering = ["-decided_at", "-id"]
    list_select_related = ["contact", "campaign"]
    fields = ["person", "campaign", "verdict", "words", "reason", "step_key", "evidence", "decided_at"]
    readonly_fields = ["person"]

    @display(description="Who")
    def person(self, decision: Decision) -> str:
        return link(reverse("admin:crm_contact_change", args=[decision.contact_id]), decision.contact)

    @display(description="Verdict", label=LABELS)
    def what(self, decision: Decision) -> tuple[str, str]:
        return decision.verdict, decision.get_verdict_display()
