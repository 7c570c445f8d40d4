"""Views of lists: saved above a list under a name, forgotten where they are listed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display
from crm.kernel.long_lists import without_place
from crm.models import SavedView
from crm.shop.showing import link

SHARES = "crm.share_savedview"


class SaveForm(forms.Form):
    """What the form above a list sends."""

    table = forms.CharField(max_length=120)
    query = forms.CharField(max_length=4000, required=False)
    name = forms.CharField(max_length=80, error_messages={"required": "Give the view a name."})
    is_shared = forms.BooleanField(required=False)


@admin.register(SavedView)
class SavedViewAdmin(ModelAdmin):
    """Everybody sees their own and those for everybody; each forgets their own, superusers all."""

    exports = False
    list_display = ["view", "where", "made_by", "for_whom", "created_at"]
    list_display_links = None
    list_select_related = ["made_by"]
    sortable_by: list[str] = []
    ordering = ["table", "name", "id"]
    actions = ["forget"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Whoever may look at nothing has no list to save a view of.
        return request.user.is_superuser or bool(request.user.get_all_permissions())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedView]:
        visible = [
            model._meta.label_lower
            for model, page in self.admin_site._registry.items()
            if page.has_view_or_change_permission(request)
        ]
        theirs = Q(made_by=request.user.pk) | Q(is_shared=True)
        return super().get_queryset(request).filter(theirs, table__in=visible)

    def get_urls(self) -> list[Any]:
        save = self.admin_site.admin_view(require_POST(self.save))
        return [path("save/", save, name="crm_savedview_save"), *super().get_urls()]

    def save(self, request: HttpRequest) -> HttpResponse:
        """What a list shows now, under a name; one of the same name becomes this."""
        form = SaveForm(request.POST)
        page = self._list(request, request.POST.get("table", ""))
        query = without_place(request.POST.get("query", "")[:4000]).urlencode()
        if not form.is_valid():
            for problems in form.errors.values():
                messages.error(request, " ".join(map(str, problems)))
            return redirect(f"{page}?{query}")
        is_shared = form.cleaned_data["is_shared"]
        if is_shared and not request.user.has_perm(SHARES):
            raise PermissionDenied
        SavedView.objects.update_or_create(
            table=form.cleaned_data["table"],
            name=form.cleaned_data["name"].strip(),
            made_by_id=request.user.pk,
            defaults={"query": query, "is_shared": is_shared, "created_at": clock.now()},
        )
        messages.success(request, f"“{form.cleaned_data['name'].strip()}” is saved above this list.")
        return redirect(f"{page}?{query}")

    @admin.action(description="Forget the selected views", permissions=["view"])
    def forget(self, request: HttpRequest, queryset: QuerySet[SavedView]) -> None:
        theirs = queryset if request.user.is_superuser else queryset.filter(made_by=request.user.pk)
        count = theirs.delete()[0]
        if count:
            messages.success(request, f"{count} forgotten.")
        else:
            messages.warning(request, "Views of others are forgotten by those who saved them.")

    @display(description="View")
    def view(self, saved: SavedView) -> str:
        return link(f"{_page(saved.table)}?{saved.query}", saved.name) if _page(saved.table) else saved.name

    @display(description="List")
    def where(self, saved: SavedView) -> str:
        try:
            return str(apps.get_model(saved.table)._meta.verbose_name_plural)
        except (LookupError, ValueError):
            return saved.table

    @display(description="For")
    def for_whom(self, saved: SavedView) -> str:
        return "everybody" if saved.is_shared else "themselves"

    def _list(self, request: HttpRequest, table: str) -> str:
        """The address of a list this person may look at."""
        try:
            model = apps.get_model(table)
        except (LookupError, ValueError):
            raise PermissionDenied from None
        page = self.admin_site._registry.get(model)
        if (
            page is None
            or not page.has_view_or_change_permission(request)
            or table != model._meta.label_lower
        ):
            raise PermissionDenied
        return _page(table)


def _page(table: str) -> str:
    app, _, name = table.partition(".")
    return reverse(f"admin:{app}_{name}_changelist")
