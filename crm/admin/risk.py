"""At risk: how many are active, cooling, at risk and lost, with the money, and the thresholds that say so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from crm.admin import risk_flow
from crm.audience import rhythm, risk_report, standing_chart
from crm.audience.standing import risk_settings
from crm.kernel import clock
from crm.kernel.backoffice import OneRowAdmin
from crm.kernel.patience import within
from crm.models import Clock, RiskSettings, Segment, StandingUpkeep, State
from crm.shop.settings import this_shop
from crm.ticking import ring

SPANS = (90, 365)
PREVIEW_SECONDS = 5
SPANNED = {1: "today", 7: "this week"}

_GAPS = "Times a person’s usual gap between two orders, drawn towards the shop’s while they have few. "
_ONCE = "Of those who bought once and come back at all, this share would have come by then. "
_QUIET = "Days without a visit, a human click or a reply, for people who registered and never bought. "


class RiskForm(forms.ModelForm):
    """The thresholds, each with why it is what it is."""

    class Meta:
        model = RiskSettings
        fields = [
            "cooling_factor",
            "at_risk_factor",
            "lost_factor",
            "once_cooling_share",
            "once_at_risk_share",
            "once_lost_share",
            "quiet_cooling_days",
            "quiet_at_risk_days",
            "quiet_lost_days",
        ]
        labels = {
            "cooling_factor": "Cooling after",
            "at_risk_factor": "At risk after",
            "lost_factor": "Lost after",
            "once_cooling_share": "Cooling at a share of",
            "once_at_risk_share": "At risk at a share of",
            "once_lost_share": "Lost at a share of",
            "quiet_cooling_days": "Cooling after days",
            "quiet_at_risk_days": "At risk after days",
            "quiet_lost_days": "Lost after days",
        }
        help_texts = {
            "cooling_factor": _GAPS
            + "1.25: a little late, as one buyer in four is at any time who simply carries on.",
            "at_risk_factor": _GAPS
            + "1.75: five in six who carry on would have ordered; early enough for news to be welcome.",
            "lost_factor": _GAPS
            + "3.5: hardly one in thirty who carry on is ever so late; stop, or ask to stay.",
            "once_cooling_share": _ONCE + "0.6: more than half have come; the others are not late yet.",
            "once_at_risk_share": _ONCE + "0.8: whoever is still to come is among the last fifth.",
            "once_lost_share": _ONCE + "0.95: one in twenty is still to come, too few to write to all for.",
            "quiet_cooling_days": _QUIET + "45: they have skipped a month’s news.",
            "quiet_at_risk_days": _QUIET + "90: a season went by; broadcasts stop here, too.",
            "quiet_lost_days": _QUIET + "180: mailbox providers count mail to the long silent against you.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for what in ("factor", "share", "days"):
            for first, second in (("cooling", "at_risk"), ("at_risk", "lost")):
                for before in ("", "once_", "quiet_"):
                    low, high = (cleaned.get(f"{before}{state}_{what}") for state in (first, second))
                    if low is not None and high is not None and low >= high:
                        self.add_error(
                            f"{before}{second}_{what}",
                            f"This must be more than the {low:g} of {State(first).label}.",
                        )
        return cleaned


@admin.register(RiskSettings)
class RiskAdmin(OneRowAdmin):
    form = RiskForm
    change_form_outer_before_template = "crm/risk_form.html"
    fieldsets = [
        (
            "People who bought more than once: their own rhythm",
            {"fields": [("cooling_factor", "at_risk_factor", "lost_factor")]},
        ),
        (
            "People who bought once: the shop’s second orders",
            {"fields": [("once_cooling_share", "once_at_risk_share", "once_lost_share")]},
        ),
        (
            "People who registered and never bought",
            {"fields": [("quiet_cooling_days", "quiet_at_risk_days", "quiet_lost_days")]},
        ),
    ]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("preview/", wrap(require_POST(self.preview)), name="crm_risksettings_preview"),
            path("segment/", wrap(require_POST(self.segment)), name="crm_risksettings_segment"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {"title": "At risk"}
        return render(request, "crm/at_risk.html", context | page(request, self))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        told = {
            "title": "When somebody is at risk",
            "used": rhythm.then(clock.now()),
            "risk": risk_settings(),
        }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | told)

    def save_model(self, request: HttpRequest, obj: RiskSettings, form: Any, change: bool) -> None:
        if form.changed_data:
            obj.changed_at = clock.now()
            ring("crm.standing")
        super().save_model(request, obj, form, change)

    def response_change(self, request: HttpRequest, obj: RiskSettings) -> HttpResponse:
        messages.success(request, "Saved. Everybody is measured anew within a minute.")
        return redirect("admin:crm_risksettings_changelist")

    def preview(self, request: HttpRequest) -> HttpResponse:
        """How many each state would hold by what stands in the form."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = RiskForm(request.POST, instance=RiskSettings())
        counts = None
        if form.is_valid():
            now = clock.now()
            counts = within(PREVIEW_SECONDS, lambda: risk_report.tried(form.instance, now))
        return render(request, "crm/risk_preview.html", {"form": form, "counts": counts})

    def segment(self, request: HttpRequest) -> HttpResponse:
        """A segment of those newly at risk, kept up by itself."""
        if not request.user.has_perm("crm.add_segment"):
            raise PermissionDenied
        days = request.POST.get("within_days", "")
        state = request.POST.get("state", "")
        if days not in map(str, SPANNED) or state not in (State.AT_RISK, State.LOST):
            messages.error(request, "Choose who the segment is of from the buttons on this page.")
            return redirect("admin:crm_risksettings_changelist")
        name = f"Newly {State(state).label} {SPANNED[int(days)]}"
        rule = {"all": [{"kind": "crm.newly_stands", "params": {"state": state, "within_days": days}}]}
        made, is_new = Segment.objects.get_or_create(
            name=name, defaults={"rule": rule, "created_at": clock.now()}
        )
        if is_new:
            ring("crm.segments")
            messages.success(request, f"The segment “{name}” keeps itself up; a campaign can start from it.")
        else:
            messages.info(request, f"There is a segment “{name}” already: here it is.")
        return redirect("admin:crm_segment_change", made.pk)


def page(request: HttpRequest, admin_page: RiskAdmin) -> dict[str, Any]:
    """Everything the page shows, in a fixed number of queries."""
    now = clock.now()
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = request.GET.get("clock", "")
    chosen = asked if asked in Clock.values else ""
    span = 365 if request.GET.get("days") == "365" else 90
    rows = risk_report.now_by_state(now, today)
    days, series = risk_report.over_time((today - timedelta(days=span)).date(), today.date(), chosen)
    return {
        "rows": rows,
        "total": sum(row.all.people for row in rows),
        "currency": this_shop().currency,
        "slipped": [row for row in rows if row.state in (State.AT_RISK, State.LOST)],
        "newest": risk_report.newest(now, State.AT_RISK, limit=10),
        "chart": standing_chart.areas(days, series),
        "weeks": [
            (day, [series[state][place] for state in State.values])
            for place, day in reversed(list(enumerate(days)))
            if (days[-1] - day).days % 7 == 0
        ],
        "clocks": [("", "everybody"), (Clock.PURCHASE, "buyers"), (Clock.ENGAGEMENT, "registered")],
        "clock": chosen,
        "span": span,
        "spans": SPANS,
        "flow": risk_flow.draw(risk_report.flow(now - timedelta(days=30), now)),
        "used": rhythm.then(now),
        "risk": risk_settings(),
        "swept_at": StandingUpkeep.objects.values_list("swept_at", flat=True).first(),
        "may_change": admin_page.has_change_permission(request),
        "may_segment": request.user.has_perm("crm.add_segment"),
        "settings_url": reverse("admin:crm_risksettings_change", args=[1]),
    }
