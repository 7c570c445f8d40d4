"""Consent: purposes and wordings to read, events and suppressions never to be edited by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.kernel import tokens
from crm.kernel.backoffice import ModelAdmin, ReadOnlyAdmin, display
from crm.models import Channel, ConsentEvent, ConsentText, Purpose, Segment, Suppression


class ByAddress(ReadOnlyAdmin):
    """Rows keyed by the hash of an address, found by the whole address and by nothing else."""

    # Keys are made of time, so that their order is the order in which rows were written.
    ordering = ["-id"]
    search_fields = ["id"]
    search_help_text = "A whole e-mail address or telephone number."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        typed = search_term.strip()
        if not typed:
            return queryset, False
        hashes: list[bytes] = []
        for channel in (Channel.EMAIL, Channel.SMS):
            try:
                hashes += tokens.address_hashes(channel, typed).values()
            except ValueError:
                continue
        return queryset.filter(address_hash__in=hashes), False


@admin.register(Purpose)
class PurposeAdmin(ModelAdmin):
    list_display = ["name", "kind", "channels", "is_active"]
    ordering = ["kind", "name"]
    readonly_fields = ["key", "kind"]

    def save_model(self, request: HttpRequest, obj: Purpose, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data:
            # It may turn the verdict on everybody at once.
            Segment.objects.update(due_at=None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    list_display = ["wording", "locale", "version", "valid_from"]
    ordering = ["-valid_from"]
    fields = ["wording", "purposes", "locale", "version", "shown_at_url", "valid_from"]


@admin.register(ConsentEvent)
class ConsentEventAdmin(ByAddress):
    list_display = ["occurred_at", "channel", "for_what", "action", "source_kind", "recorded_at"]
    sortable_by: list[str] = []
    list_select_related = ["purpose"]
    fields = [
        "channel",
        "for_what",
        "action",
        "legal_basis",
        "text",
        "source_kind",
        "position",
        "occurred_at",
        "recorded_at",
    ]
    readonly_fields = ["for_what"]

    @display(description="For")
    def for_what(self, row: ConsentEvent) -> str:
        return row.purpose.name if row.purpose else "everything"


@admin.register(Suppression)
class SuppressionAdmin(ByAddress):
    list_display = ["since", "channel", "for_what", "reason"]
    sortable_by: list[str] = []
    list_select_related = ["purpose"]
    fields = ["channel", "for_what", "reason", "since"]
    readonly_fields = ["for_what"]

    @display(description="For")
    def for_what(self, row: Suppression) -> str:
        return row.purpose.name if row.purpose else "everything"
