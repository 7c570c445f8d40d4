"""Who went through which campaign, the newest first."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from campaigns.models import Enrolment
from crm.kernel.backoffice import ReadOnlyAdmin, display
from crm.shop.showing import link

LABELS = {"active": "info", "finished": "success", "left": "warning"}


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin):
    # Keys are made of time, so that their order is the order in which people entered.
    ordering = ["-id"]
    list_display = ["entered_at", "person", "campaign", "how", "arm", "left_reason", "finished_at", "goal_at"]
    list_display_links = None
    list_filter = ["campaign", "state"]
    list_select_related = ["contact", "campaign"]
    sortable_by: list[str] = []
    fields = ["person", "campaign", "how", "arm", "entered_at", "finished_at", "left_reason", "goal_at"]
    readonly_fields = ["person", "how"]

    @display(description="Who")
    def person(self, run: Enrolment) -> str:
        return link(reverse("admin:crm_contact_change", args=[run.contact_id]), run.contact)

    @display(description="State", label=LABELS)
    def how(self, run: Enrolment) -> tuple[str, str]:
        return run.state, run.get_state_display()
