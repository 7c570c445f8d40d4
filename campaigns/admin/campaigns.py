"""Campaigns: made from a playbook, edited in place beside their picture, launched through a checklist."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from campaigns.admin import launch, results, trials
from campaigns.admin.picture import draw
from campaigns.admin.steps import StepInline, is_frozen
from campaigns.flows import launching
from campaigns.flows.kinds import playbooks, triggers
from campaigns.models import Campaign, Enrolment
from campaigns.results import reporting
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display
from crm.kernel.kindforms import fields_of, kind_form
from crm.kernel.kinds import UnknownKind
from crm.models import Purpose

ACTS = {
    "pause": "Paused. Nobody enters, nothing leaves; messages already queued wait and expire.",
    "resume": "Running again.",
    "stop": "Stopped for good. People inside leave it.",
}
STATES = {"draft": "info", "running": "success", "paused": "warning", "stopped": "danger"}


class CampaignForm(forms.ModelForm):
    class Meta:
        model = Campaign
        fields = [
            "name",
            "description",
            "purpose",
            "sender",
            "trigger",
            "entry_rule",
            "reentry_days",
            "exit_on_purchase",
            "exit_rule",
            "expires_after",
            "control_share",
            "goal",
            "priority",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("reentry_days", "control_share"):
                self.initial[name] = f"{getattr(self.instance, name).normalize():f}"
        if "purpose" in self.fields:
            purposes: Any = self.fields["purpose"]
            purposes.queryset = Purpose.objects.exclude(kind=Purpose.Kind.TRACKING)
        if "expires_after" in self.fields:
            self.fields["expires_after"].help_text += " Written as hours:minutes:seconds."


@admin.register(Campaign)
class CampaignAdmin(ModelAdmin):
    list_display = ["name", "what", "trigger_words", "people", "purpose", "launched_at"]
    list_filter = ["state"]
    sortable_by = ["name", "launched_at"]
    search_fields = ["name"]
    ordering = ["-created_at"]
    list_select_related = ["purpose"]
    list_before_template = "campaigns/playbooks.html"
    change_form_outer_before_template = "campaigns/campaign_page.html"
    inlines = [StepInline]

    class Media:
        js = ["rekindle/kinds.js", "rekindle/variants.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        inside = Enrolment.objects.filter(
            campaign=OuterRef("pk"), state=Enrolment.State.ACTIVE, is_test=False
        )
        counted = inside.order_by().values("campaign").annotate(number=Count("pk")).values("number")
        return super().get_queryset(request).annotate(inside=Coalesce(Subquery(counted), 0))

    def get_form(self, request: HttpRequest, obj: Campaign | None = None, **kwargs: Any) -> Any:
        kwargs["form"] = kind_form(CampaignForm, "trigger", "trigger_params", triggers)
        return super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        tab = {"classes": ["tab"]}
        who = ["trigger", *fields_of("trigger", triggers), "entry_rule", "reentry_days"]
        if not self.has_change_permission(request, obj):
            who = ["trigger_words", "entry_rule", "reentry_days"]
        return [
            ("Campaign", tab | {"fields": ["name", "description", "purpose", "sender"]}),
            ("Who enters", tab | {"fields": who}),
            ("When they leave", tab | {"fields": ["exit_on_purchase", "exit_rule", "expires_after"]}),
            ("How it is measured", tab | {"fields": ["control_share", "goal", "priority"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        return ["trigger_words"]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("make/<str:key>/", wrap(require_POST(self.make)), name="campaigns_campaign_make"),
            path("<int:pk>/act/", wrap(require_POST(self.act)), name="campaigns_campaign_act"),
            path("<int:pk>/try/", wrap(require_GET(self.walk)), name="campaigns_campaign_try"),
            path("<int:pk>/test/", wrap(require_POST(self.test)), name="campaigns_campaign_test"),
            *launch.urls(self),
            *results.urls(self),
            *super().get_urls(),
        ]

    def make(self, request: HttpRequest, key: str) -> HttpResponse:
        """An editable draft from a playbook, in one click."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            campaign = playbooks.get(key).make(clock.now())
        except UnknownKind as error:
            raise Http404(str(error)) from error
        messages.success(request, f"{campaign} is a draft now. Nothing is sent before you launch it.")
        return redirect("admin:campaigns_campaign_change", campaign.pk)

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Launch, pause, resume or stop it; open its steps for changes; put changed steps into use."""
        campaign = self._changeable(request, pk)
        by, now, verb = request.user.get_username(), clock.now(), request.POST.get("do", "")
        if verb == "launch":
            return launch.launch(self, request, campaign)
        try:
            if verb in ACTS:
                getattr(launching, verb)(campaign, by, now)
                messages.success(request, ACTS[verb])
            elif verb == "edit":
                version = launching.editable_version(campaign, now)
                messages.success(
                    request, f"Version {version.number} may be changed; people inside keep theirs."
                )
            elif verb == "publish":
                launching.publish(campaign, by, now, move_people=request.POST.get("move") == "yes")
                messages.success(request, "The new version is in use.")
            else:
                raise Http404
        except launching.NotReady as error:
            messages.error(request, str(error))
        return redirect("admin:campaigns_campaign_change", pk)

    def walk(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What would happen to one person, on a fast clock; all that it wrote is taken back."""
        campaign = self.get_object(request, str(pk))
        if campaign is None:
            raise Http404
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        return trials.walk(self, request, campaign)

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Really send the messages of such a walk to a colleague."""
        return trials.test(request, self._changeable(request, pk))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, (extra_context or {}) | {"playbooks": list(playbooks)})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        campaign = self.get_object(request, object_id)
        if campaign is not None and self.has_view_permission(request, campaign):
            extra_context = (extra_context or {}) | _page(campaign)
        return super().change_view(request, object_id, form_url, extra_context)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for step in formset.forms:
            if "variants" in step.changed_data and step not in formset.deleted_forms:
                step.keep_variants()

    @display(description="State", label=STATES)
    def what(self, campaign: Campaign) -> tuple[str, str]:
        return campaign.state, campaign.get_state_display()

    @display(description="Lets in")
    def trigger_words(self, campaign: Campaign) -> str:
        try:
            return triggers.get(campaign.trigger).label
        except UnknownKind as error:
            return str(error)

    @display(description="In it now")
    def people(self, campaign: Any) -> int:
        return campaign.inside

    def _changeable(self, request: HttpRequest, pk: int) -> Campaign:
        campaign = self.get_object(request, str(pk))
        if campaign is None:
            raise Http404
        if not self.has_change_permission(request, campaign):
            raise PermissionDenied
        return campaign


def _page(campaign: Campaign) -> dict[str, Any]:
    """What stands above the form: state, this week's numbers, the picture, what is missing for the launch."""
    version = launching.newest_version(campaign)
    now = clock.now()
    week = reporting.campaign_at_work(campaign, now - timedelta(days=7))
    checks = launching.checklist(campaign, now)
    return {
        "picture": draw(campaign, version, reporting.people_in_steps(campaign)),
        "version": version,
        "frozen": is_frozen(campaign),
        "checklist": checks,
        "missing": sum(not check.done for check in checks),
        "week": week,
    } | results.context(campaign, version, now)
