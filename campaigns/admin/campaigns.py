"""Campaigns: made from a playbook, drawn step by step, launched through a checklist."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from campaigns.admin import (
    by_hand,
    calendar,
    campaign_form,
    campaign_head,
    campaign_pages,
    flow,
    launch,
    results,
    trials,
)
from campaigns.flows import four_eyes, launching, permitted
from campaigns.flows.kinds import Playbook, playbooks, triggers
from campaigns.models import Campaign, Enrolment, LaunchRequest, Step
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display
from crm.kernel.kinds import UnknownKind
from crm.kernel.long_lists import LongChangeList

ACTS = {
    "pause": "Paused. Nobody enters, nothing leaves; messages already queued wait and expire.",
    "resume": "Running again.",
    "stop": "Stopped for good. People inside leave it.",
}
STATES = {"asked": "warning", "draft": "info", "running": "success", "paused": "warning", "stopped": "danger"}
GROUPS = ("Win back", "Welcome", "Sell again", "Tell them", "Listen")
"""The groups of playbooks in the order of the guide; others come after them."""
FORMS = (campaign_form.WHO, campaign_form.SETTINGS)


class _Campaigns(LongChangeList):
    """The list, which says of each that a launch was asked for whether that still holds."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if any(campaign.is_asked for campaign in self.result_list):
            waiting = {asked.campaign_id for asked in four_eyes.waiting()}
            for campaign in self.result_list:
                campaign.is_waiting = campaign.pk in waiting


@admin.register(Campaign)
class CampaignAdmin(ModelAdmin):
    list_display = ["name", "what", "trigger_words", "people", "purpose", "launched_at"]
    list_filter = ["state"]
    sortable_by = ["name", "launched_at"]
    search_fields = ["name"]
    ordering = ["-created_at"]
    list_select_related = ["purpose"]
    list_before_template = "campaigns/playbooks.html"
    change_form_outer_before_template = "campaigns/campaign_form_head.html"

    class Media:
        js = ["rekindle/kinds.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        inside = Enrolment.objects.filter(
            campaign=OuterRef("pk"), state=Enrolment.State.ACTIVE, is_test=False
        )
        counted = inside.order_by().values("campaign").annotate(number=Count("pk")).values("number")
        asked = LaunchRequest.objects.filter(campaign=OuterRef("pk"), state=LaunchRequest.State.OPEN)
        rows = super().get_queryset(request)
        return rows.annotate(inside=Coalesce(Subquery(counted), 0), is_asked=Exists(asked))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[_Campaigns]:
        return _Campaigns

    def get_form(self, request: HttpRequest, obj: Campaign | None = None, **kwargs: Any) -> Any:
        kwargs["form"] = campaign_form.form_of(_section(request))
        return super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        may_change = obj is None or self.has_change_permission(request, obj)
        return campaign_form.fieldsets(_section(request), may_change=may_change)

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        return ["trigger_words"]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view

        def of_one(name: str, view: Callable[..., HttpResponse]) -> Any:
            return path(f"<int:pk>/{name}/", wrap(view), name=f"campaigns_campaign_{name}")

        return [
            path("make/<str:key>/", wrap(require_POST(self.make)), name="campaigns_campaign_make"),
            of_one("act", require_POST(self.act)),
            of_one("flow", require_POST(self.change_flow)),
            of_one("try", require_GET(self.walk)),
            of_one("hand", self.hand),
            of_one("test", require_POST(self.test)),
            of_one("results", require_GET(self.results)),
            of_one("people", require_GET(self.people_in_it)),
            of_one("why", require_GET(self.why)),
            *calendar.urls(self),
            *launch.urls(self),
            *results.urls(self),
            *super().get_urls(),
        ]

    def make(self, request: HttpRequest, key: str) -> HttpResponse:
        """An editable draft from a playbook, in one click."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            with transaction.atomic():
                campaign = playbooks.get(key).make(clock.now())
                if held := _held(request, campaign):
                    raise PermissionDenied(held)
                self.log_addition(request, campaign, "Made from a playbook.")
        except UnknownKind as error:
            raise Http404(str(error)) from error
        messages.success(request, f"{campaign} is a draft now. Nothing is sent before you launch it.")
        return redirect("admin:campaigns_campaign_change", campaign.pk)

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Launch, pause, resume or stop it; put changed steps into use."""
        campaign = self._changeable(request, pk)
        by, now, verb = request.user.get_username(), clock.now(), request.POST.get("do", "")
        if verb == "launch":
            return launch.launch(self, request, campaign)
        try:
            if verb in ACTS:
                getattr(launching, verb)(campaign, by, now)
                messages.success(request, ACTS[verb])
            elif verb == "publish":
                moves = request.POST.get("move") == "yes"
                launching.publish(campaign, by, now, move_people=moves, may=request.user.has_perm)
                inside = "were moved to it" if moves else "go on with the version they began"
                messages.success(request, f"The new version is in use. People inside {inside}.")
            else:
                raise Http404
        except launching.NotReady as error:
            messages.error(request, str(error))
        return redirect("admin:campaigns_campaign_change", pk)

    def change_flow(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One change of its steps."""
        return flow.act(self, request, self._changeable(request, pk))

    def walk(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What would happen to one person, on a fast clock; all that it wrote is taken back."""
        return trials.walk(self, request, self._viewable(request, pk))

    def hand(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put people in by hand: one, or everybody of a segment."""
        return by_hand.page(self, request, self._changeable(request, pk))

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Really send the messages of such a walk to a colleague."""
        return trials.test(request, self._changeable(request, pk))

    def results(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What its steps and messages did."""
        return campaign_pages.results(self, request, self._viewable(request, pk))

    def people_in_it(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Who is in it now."""
        return campaign_pages.people(self, request, self._viewable(request, pk, names_people=True))

    def why(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What it decided about one person."""
        return campaign_pages.why(self, request, self._viewable(request, pk, names_people=True))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown = {"groups": _plays(), "any_campaign": Campaign.objects.exists()}
        return super().changelist_view(request, (extra_context or {}) | shown)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        section = _section(request)
        campaign = self.get_object(request, object_id)
        if campaign is None or not self.has_view_permission(request, campaign):
            return super().change_view(request, object_id, form_url, extra_context)
        if not section:
            if request.method == "POST":
                return redirect("admin:campaigns_campaign_change", campaign.pk)
            return flow.page(self, request, campaign)
        head = campaign_head.head(self, request, campaign, section, clock.now())
        buttons = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | head | buttons)

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: Any = None) -> Any:
        if "_popup" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, f"{obj} is a draft now. Add its first step.")
        return redirect("admin:campaigns_campaign_change", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        """Back to the form one comes from: the campaign is one place, not a row of the list."""
        return redirect(request.get_full_path())

    @display(description="State", label=STATES)
    def what(self, campaign: Any) -> tuple[str, str]:
        if campaign.is_asked:
            return "asked", "asked to launch" if campaign.is_waiting else "asked, and changed since"
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

    def _viewable(self, request: HttpRequest, pk: int, *, names_people: bool = False) -> Campaign:
        campaign = self.get_object(request, str(pk))
        if campaign is None:
            raise Http404
        allowed = self.has_view_permission(request, campaign)
        if not allowed or (names_people and not request.user.has_perms(campaign_head.NAMES_PEOPLE)):
            raise PermissionDenied
        return campaign

    def _changeable(self, request: HttpRequest, pk: int) -> Campaign:
        campaign = self.get_object(request, str(pk))
        if campaign is None:
            raise Http404
        if not self.has_change_permission(request, campaign):
            raise PermissionDenied
        return campaign


def _held(request: HttpRequest, campaign: Campaign) -> str:
    """Why this person may not make a campaign with such steps; blank where they may."""
    kinds = Step.objects.filter(version__campaign=campaign).values_list("kind", flat=True)
    return next((words for kind in kinds if (words := permitted.refusal(kind, request.user.has_perm))), "")


def _section(request: HttpRequest) -> str:
    """Which of the forms is meant; blank for the flow, and for the form of a new campaign."""
    asked = request.GET.get("section", "")
    return asked if asked in FORMS else ""


def _plays() -> list[tuple[str, list[tuple[Playbook, list[str]]]]]:
    """Every play by its group, each with what there is to know about it, a paragraph apiece."""
    groups: dict[str, list[tuple[Playbook, list[str]]]] = {}
    for play in playbooks:
        told = (inspect.getdoc(type(play)) or "").split("\n\n")
        groups.setdefault(play.group or "Others", []).append((play, [" ".join(one.split()) for one in told]))
    order = {name: place for place, name in enumerate(GROUPS)}
    return sorted(groups.items(), key=lambda group: order.get(group[0], len(order)))
