"""What colleagues are told, and why somebody could not be told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.kernel.backoffice import ReadOnlyAdmin, display
from crm.models import Notice

LABELS = {"told": "success", "waits": "info", "not told": "danger"}


class FateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("told", "handed to the mail"), ("waits", "waits"), ("problem", "could not be told")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        if self.value() == "told":
            return queryset.filter(handed_at__isnull=False)
        waiting = queryset.filter(handed_at=None)
        if self.value() == "waits":
            return waiting.filter(problem="")
        return waiting.exclude(problem="") if self.value() == "problem" else queryset


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "fate", "user", "subject", "problem"]
    list_filter = [FateFilter]
    list_select_related = ["user"]
    sortable_by = ["created_at"]
    # Ids are made in the order of time.
    ordering = ["-id"]
    fields = ["user", "subject", "body", "path", ("created_at", "handed_at"), "problem"]

    @display(description="State", label=LABELS)
    def fate(self, notice: Notice) -> str:
        if notice.handed_at:
            return "told"
        return "not told" if notice.problem else "waits"
