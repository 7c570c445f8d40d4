"""Segments: a rule, how many people it means now, ten of them, and why one person is in or out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET, require_POST

from crm.admin import rule_builder, segment_lists, segment_pages, segment_why
from crm.admin.segment_form import WHEN, SegmentForm
from crm.audience import schedules, segmentation, uses
from crm.kernel import clock, rules
from crm.kernel.backoffice import ChoicesDropdownFilter, ModelAdmin, display
from crm.models import Segment

CHANGE = "admin:crm_segment_change"


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    form = SegmentForm
    list_display = ["name", "people", "in_words", "age", "cost", "next", "state"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    list_select_related = ["interval", "crontab"]
    sortable_by = ["name", "people", "age", "cost", "next"]
    search_fields = ["name"]
    ordering = ["name"]
    list_before_template = "crm/segments_intro.html"
    change_form_outer_before_template = "crm/segment_head.html"
    change_form_outer_after_template = "crm/segment_page.html"

    def get_fieldsets(self, request: HttpRequest, obj: Segment | None = None) -> Any:
        about = ["name", "description"]
        if obj.kind == Segment.Kind.FIXED if obj else _wants_a_list(request):
            return [(None, {"fields": about})]
        when = WHEN if self._may_edit(request, obj) else ["refreshed"]
        return [(None, {"fields": [*about, "rule", *when]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return [] if self._may_edit(request, obj) else ["refreshed"]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("rule/", wrap(require_POST(rule_builder.build)), name="crm_segment_rule"),
            path("why/", wrap(require_GET(self.why)), name="crm_segment_why"),
            path("<uuid:pk>/refresh/", wrap(require_POST(self.refresh)), name="crm_segment_refresh"),
            path("<uuid:pk>/duplicate/", wrap(require_POST(self.duplicate)), name="crm_segment_duplicate"),
            path("<uuid:pk>/people/", wrap(require_POST(self.people_of_list)), name="crm_segment_people"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        segment = self.get_object(request, object_id)
        if segment is not None and self.has_view_permission(request, segment):
            shows_people = request.user.has_perm("crm.view_contact")
            around = segment_pages.around(segment, clock.now(), shows_people=shows_people)
            may = {
                "may_change": self.has_change_permission(request, segment),
                "may_add": self.has_add_permission(request),
                "shows_people": shows_people,
            }
            extra_context = (extra_context or {}) | around | may
        return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        if not change and _wants_a_list(request):
            obj.kind = Segment.Kind.FIXED
        if obj.kind == Segment.Kind.DYNAMIC and form.has_new_plan():
            form.keep_plan(obj)
        if not change or "rule" in form.changed_data:
            obj.due_at = None  # Due at once.
        super().save_model(request, obj, form, change)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        segment = self.get_object(request, object_id)
        may_delete = segment is not None and self.has_delete_permission(request, segment)
        if may_delete and (leaning := uses.of(segment)):
            named = ", ".join(f"{use.what} “{use.name}”" for use in leaning)
            messages.error(request, f"It cannot be deleted while others name it: {named}.")
            return redirect(CHANGE, segment.pk)
        return super().delete_view(request, object_id, extra_context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What leans on a segment stands in the way of deleting it."""
        doomed = list(objs)
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        leaning = [
            f"{use.what.capitalize()} “{use.name}”, which names “{segment}”"
            for segment in doomed
            for use in uses.of(segment)
        ]
        return deleted, counts, needed, [*protected, *leaning]

    def refresh(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Ask the rule of everybody now."""
        segment = self._found(request, pk)
        self._need(self.has_change_permission(request, segment))
        moved = segmentation.refresh(segment, clock.now())
        if segment.problem:
            messages.error(request, f"It could not be refreshed: {segment.problem}")
        else:
            messages.success(request, f"Refreshed: {moved:,} came or went, {segment.size:,} are in it now.")
        return redirect(CHANGE, pk)

    def duplicate(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Another one with the same rule, schedule or people."""
        segment = self._found(request, pk)
        self._need(self.has_add_permission(request) and self.has_view_permission(request, segment))
        copy = segment_lists.duplicate(segment, clock.now())
        messages.success(request, f"“{copy}” is a copy of “{segment}”: rename it.")
        return redirect(CHANGE, copy.pk)

    def people_of_list(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Put people on a fixed list or take them off."""
        segment = self._found(request, pk)
        self._need(self.has_change_permission(request, segment) and request.user.has_perm("crm.view_contact"))
        segment_lists.change(request, segment, clock.now())
        return redirect(CHANGE, pk)

    def why(self, request: HttpRequest) -> HttpResponse:
        """Why one person is in or out, now or on any day before."""
        self._need(self.has_view_permission(request) and request.user.has_perm("crm.view_contact"))
        return segment_why.page(self, request, clock.now())

    @display(description="Size", ordering="size")
    def people(self, segment: Segment) -> str:
        return format_html('<span class="rk-size">{}</span>', f"{segment.size:,}")

    @display(description="In words")
    def in_words(self, segment: Segment) -> str:
        if segment.kind == Segment.Kind.FIXED:
            return "A fixed list: people are added and removed by hand."
        if rules.is_blank(segment.rule):
            return "Nobody yet: add a condition."
        return rules.sentence(segment.rule)

    @display(description="Age", ordering="refreshed_at")
    def age(self, segment: Segment) -> Any:
        return _instant(segment.swept_at or segment.refreshed_at) if segment.refreshed_at else "not yet"

    @display(description="Cost", ordering="refresh_seconds")
    def cost(self, segment: Segment) -> str:
        is_kept_up = segment.refreshed_at and segment.kind == Segment.Kind.DYNAMIC
        return f"{segment.refresh_seconds:.2f} s" if is_kept_up else ""

    @display(description="Next refresh", ordering="due_at")
    def next(self, segment: Segment) -> Any:
        if segment.kind == Segment.Kind.FIXED:
            return "by hand"
        if segment.due_at is None or segment.due_at <= clock.now():
            return "within a minute"
        words = schedules.in_words(segment)
        return format_html("{}<br>{}", _instant(segment.due_at), words)

    @display(description="Refreshed")
    def refreshed(self, segment: Segment) -> str:
        return schedules.in_words(segment)

    @display(description="State", label={"well": "success", "broken": "danger"})
    def state(self, segment: Segment) -> tuple[str, str]:
        return ("broken", "broken, closed") if segment.problem else ("well", "well")

    def _may_edit(self, request: HttpRequest, segment: Segment | None) -> bool:
        if segment is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, segment)

    def _found(self, request: HttpRequest, pk: Any) -> Segment:
        segment = self.get_object(request, str(pk))
        if segment is None:
            raise Http404
        return segment

    def _need(self, allowed: bool) -> None:
        if not allowed:
            raise PermissionDenied

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        return super().get_queryset(request).select_related("interval", "crontab")


def _wants_a_list(request: HttpRequest) -> bool:
    return request.GET.get("kind") == Segment.Kind.FIXED


def _instant(at: Any) -> Any:
    exact = f"{localtime(at):%-d %B %Y, %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, naturaltime(at))
