"""Saved blocks: filled in once, put into any message from the editor."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from campaigns.admin import block_rows
from campaigns.admin.images import CHOOSER, choosable
from campaigns.messages import saved
from campaigns.messages.kinds import blocks
from campaigns.messages.typed import Picture
from campaigns.models import SavedBlock
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display
from crm.kernel.kindforms import fields_of, kind_form
from crm.kernel.kinds import BrokenParams, UnknownKind


class SavedBlockForm(forms.ModelForm):
    class Meta:
        model = SavedBlock
        fields = ["name", "kind"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, Picture):
                choosable(field)


@admin.register(SavedBlock)
class SavedBlockAdmin(ModelAdmin):
    list_display = ["name", "what", "created_at", "created_by"]
    search_fields = ["name"]
    sortable_by = ["name", "created_at"]
    ordering = ["name"]
    list_select_related = ["created_by"]
    list_before_template = "campaigns/saved_blocks_intro.html"

    class Media:
        js = [CHOOSER, "rekindle/kinds.js"]

    def get_form(self, request: HttpRequest, obj: SavedBlock | None = None, **kwargs: Any) -> Any:
        kwargs["form"] = kind_form(SavedBlockForm, "kind", "params", blocks)
        return super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: SavedBlock | None = None) -> Any:
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "what"]})]
        return [(None, {"fields": ["name", "kind", *fields_of("kind", blocks)]})]

    def get_readonly_fields(self, request: HttpRequest, obj: SavedBlock | None = None) -> list[str]:
        return ["what"]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("offer/", wrap(require_GET(self.offer)), name="campaigns_savedblock_offer"),
            path("keep/", wrap(require_POST(self.keep)), name="campaigns_savedblock_keep"),
            *super().get_urls(),
        ]

    def offer(self, request: HttpRequest) -> HttpResponse:
        """What an editor offers: each a name and a block, `kind` and `params`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(saved.saved_blocks(), safe=False)

    def keep(self, request: HttpRequest) -> HttpResponse:
        """Keep a block of an editor under a `name`: the row of the form that `of` names, or `kind` and
        `params` as JSON. 400 with the `problem` in words.
        """
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        try:
            kind, params = _posted(request)
            row = saved.save_block(request.POST.get("name", ""), kind, params, request.user, clock.now())
        except (UnknownKind, BrokenParams, ValueError, RecursionError) as error:
            words = "The block cannot be read." if isinstance(error, json.JSONDecodeError) else str(error)
            return JsonResponse({"problem": words}, status=400)
        return JsonResponse({"id": row.pk, "name": row.name})

    def save_model(self, request: HttpRequest, obj: SavedBlock, form: Any, change: bool) -> None:
        if not change:
            obj.created_at, obj.created_by = clock.now(), request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @display(description="Block")
    def what(self, row: SavedBlock) -> str:
        return blocks.get(row.kind).label if row.kind in blocks else f"unknown: {row.kind}"


def _posted(request: HttpRequest) -> tuple[str, Any]:
    if "of" in request.POST:
        for row in block_rows.posted(request.POST):
            if row.id == request.POST["of"]:
                return row.stored["kind"], row.stored["params"]
    return request.POST.get("kind", ""), json.loads(request.POST.get("params", ""))
