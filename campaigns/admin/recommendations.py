"""Recommendations: what sells best, when it was worked out last, and doing it now."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from campaigns.messages import recommending
from campaigns.models import BestSeller, RecommendationRun
from crm.kernel import clock
from crm.kernel.backoffice import ReadOnlyAdmin
from crm.ticking import ring

BEST = 30
RUNS = 10


@admin.register(RecommendationRun)
class RecommendationAdmin(ReadOnlyAdmin):
    """The list is a page of its own; whoever may change recommendations may have them worked out."""

    exports = False

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("now/", wrap(require_POST(self.now)), name="campaigns_recommendationrun_now"),
            path("progress/", wrap(self.progress), name="campaigns_recommendationrun_progress"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {"title": "Recommendations"}
        return render(request, "campaigns/recommendations.html", context | _page(request) | _state(request))

    def now(self, request: HttpRequest) -> HttpResponse:
        """Have everything worked out anew, beside what goes on."""
        if not _may_ask(request):
            raise PermissionDenied
        recommending.ask(request.user.get_username(), clock.now())
        ring("campaigns.recommend")
        messages.info(request, "It is being worked out; until it is done, the former answers stand.")
        return redirect("admin:campaigns_recommendationrun_changelist")

    def progress(self, request: HttpRequest) -> HttpResponse:
        """How far it has come; once it is done, the page is shown anew."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        state = _state(request)
        answer = render(request, "campaigns/recommendations_progress.html", state)
        if not state["is_busy"]:
            answer["HX-Refresh"] = "true"
        return answer


def _may_ask(request: HttpRequest) -> bool:
    return request.user.has_perm("campaigns.change_recommendationrun")


def _state(request: HttpRequest) -> dict[str, Any]:
    waiting = RecommendationRun.objects.filter(started_at=None).first()
    progress = recommending.progress()
    return {
        "last": recommending.last_done(),
        "waiting": waiting,
        "progress": progress,
        "is_busy": bool(waiting or progress),
        "may_ask": _may_ask(request),
    }


def _page(request: HttpRequest) -> dict[str, Any]:
    """Everything the page shows beside that, in a fixed number of queries."""
    sellers = BestSeller.objects.exclude(category="").order_by("category").values_list("category", flat=True)
    categories = list(sellers.distinct())
    asked = request.GET.get("category", "")
    chosen = asked if asked in categories else ""
    best = BestSeller.objects.filter(category=chosen).select_related("product").order_by("place")[:BEST]
    runs = RecommendationRun.objects.exclude(started_at=None).order_by("-started_at")[:RUNS]
    return {"categories": categories, "category": chosen, "best": list(best), "runs": list(runs)}
