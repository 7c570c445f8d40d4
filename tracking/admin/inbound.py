"""What came in from outside: raw rows, the parked ones with their error, and what was refused."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse

from crm.kernel.backoffice import ReadOnlyAdmin, display
from tracking.models import InboundEvent, Refusal

LABELS = {"new": "info", "applied": "success", "parked": "danger"}


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "source", "what", "has_order", "origin", "error"]
    list_filter = ["state"]
    sortable_by: list[str] = []
    ordering = ["-id"]
    fields = ["source", "event_key", "received_at", "state", "error", "origin", "user_agent", "body"]
    actions = ["read_again"]
    list_before_template = "tracking/inbound_intro.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundEvent]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        return rows.defer("body") if match and match.url_name == "tracking_inboundevent_changelist" else rows

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Rows are read again by an action, never edited.
        return request.user.has_perm("tracking.change_inboundevent") and obj is None

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        days = Refusal.objects.order_by("-on_day").values("on_day")[:1]
        rows = Refusal.objects.filter(on_day__in=days).values("on_day", "door", "reason")
        refused = list(rows.annotate(number=Sum("count")).order_by("-number")[:12])
        return super().changelist_view(request, (extra_context or {}) | {"refused": refused})

    @display(description="State", label=LABELS)
    def what(self, row: InboundEvent) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.action(description="Read the parked ones again", permissions=["change"])
    def read_again(self, request: HttpRequest, queryset: QuerySet[InboundEvent]) -> None:
        parked = queryset.filter(state=InboundEvent.State.PARKED)
        count = parked.update(state=InboundEvent.State.NEW, error="")
        if count:
            messages.success(request, f"{count} will be read again within seconds.")
        else:
            messages.warning(request, "None of those was parked.")
