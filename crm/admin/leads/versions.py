"""One wording of a lead definition: written as a draft, counted before it counts, published, then read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from crm.admin.leads import counting, picture, trying
from crm.audience.leads import definitions, scoring
from crm.audience.leads.definitions import Refused
from crm.audience.leads.spread import score_spread
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, StackedInline
from crm.models import LeadVersion, ScoreLine
from crm.shop.showing import signed

RULES = {
    "is_lead": ("Who is a lead", "Whoever this is true of becomes a lead."),
    "enter_nurturing": (
        "Who is nurtured",
        "Leads that are written to until they are ready. Blank: none by rule.",
    ),
    "sales_ready": ("Who is ready for sales", "Leads that a colleague is told of. Blank: none by rule."),
}


class ScoreLineForm(forms.ModelForm):
    class Meta:
        model = ScoreLine
        fields = ["label", "points", "halves_days", "rule", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            # What the theme writes above the fields of a row.
            line = self.instance
            line.get_inline_title = lambda: f"{signed(line.points)} {scoring.named(line)}"


class ScoreLineInline(StackedInline):
    model = ScoreLine
    form = ScoreLineForm
    fields = [("label", "points", "halves_days"), "rule", "position"]
    ordering = ["position", "id"]
    ordering_field = "position"
    verbose_name = "line"
    verbose_name_plural = "Score"
    collapsible = True

    class Media:
        js = ["rekindle/rows.js"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "rule":
            field.label = "Whoever this is true of"
        if field is not None and db_field.name == "halves_days":
            field.label = "Halved every so many days"
        return field

    def has_add_permission(self, request: HttpRequest, obj: LeadVersion | None = None) -> bool:
        return bool(super().has_add_permission(request, obj) and _is_draft(obj))

    def has_change_permission(self, request: HttpRequest, obj: LeadVersion | None = None) -> bool:
        return bool(super().has_change_permission(request, obj) and _is_draft(obj))

    def has_delete_permission(self, request: HttpRequest, obj: LeadVersion | None = None) -> bool:
        return bool(super().has_delete_permission(request, obj) and _is_draft(obj))


@admin.register(LeadVersion)
class LeadVersionAdmin(ModelAdmin):
    exports = False
    fields = list(RULES)
    change_form_outer_before_template = "crm/lead_version_page.html"
    change_form_outer_after_template = "crm/lead_version_try.html"

    def get_inlines(self, request: HttpRequest, obj: LeadVersion | None) -> Any:
        return [ScoreLineInline] if _is_draft(obj) else []

    def get_fields(self, request: HttpRequest, obj: LeadVersion | None = None) -> list[str]:
        # What was published is told in words above; there is nothing to fill in.
        return list(RULES) if self.has_change_permission(request, obj) else []

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/count/", wrap(require_POST(self.count)), name="crm_leadversion_count"),
            path("<uuid:pk>/spread/", wrap(require_GET(self.spread)), name="crm_leadversion_spread"),
            *super().get_urls(),
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in RULES:
            field.label, field.help_text = RULES[db_field.name]
        return field

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LeadVersion | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or _is_draft(obj))

    def has_delete_permission(self, request: HttpRequest, obj: LeadVersion | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_draft(obj)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return redirect("admin:crm_leaddefinition_changelist")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        if version is not None and self.has_view_permission(request, version):
            extra_context = (extra_context or {}) | {
                "title": f"{version.definition}, version {version.number}",
                "version": version,
                "wording": picture.wording(version),
                "problems": definitions.problems(version) if _is_draft(version) else [],
                "tried": trying.try_person(version, request.GET.get("person", ""), clock.now()),
            }
        return super().change_view(request, object_id, form_url, extra_context)

    def count(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Who would be a lead by what the form says now, saved or not, and how they bought."""
        version = self.get_object(request, str(pk))
        if version is None:
            raise Http404("There is no such version.")
        if not self.has_change_permission(request, version):
            raise PermissionDenied
        field: Any = LeadVersion._meta.get_field("is_lead").formfield()
        typed = field.widget.value_from_datadict(request.POST, request.FILES, "is_lead")
        with counting.one_at_a_time(request.user.pk or 0) as is_mine:
            if not is_mine:
                return render(request, "crm/lead_count_later.html", {"version": version})
            counted = counting.count(version.definition, typed, field, clock.now())
        return render(request, "crm/lead_count.html", {"counted": counted})

    def spread(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """How many have which score by the wording as saved, and how many of a month ago bought since."""
        version = self.get_object(request, str(pk))
        if version is None:
            raise Http404("There is no such version.")
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        spread = score_spread(version, clock.now())
        return render(request, "crm/lead_spread.html", {"spread": spread, "bars": picture.outcome(spread)})

    def response_change(self, request: HttpRequest, obj: LeadVersion) -> HttpResponse:
        if "_publish" not in request.POST:
            return super().response_change(request, obj)
        if not request.user.has_perm("crm.change_leaddefinition"):
            raise PermissionDenied
        try:
            definitions.publish(obj, clock.now(), request.user.get_username())
        except Refused as refused:
            for problem in refused.problems:
                messages.error(request, problem)
            return redirect("admin:crm_leadversion_change", obj.pk)
        messages.success(request, f"Version {obj.number} counts now. Leads follow it within a minute or so.")
        return redirect("admin:crm_leaddefinition_change", obj.definition_id)


def _is_draft(version: LeadVersion | None) -> bool:
    return version is not None and version.published_at is None
