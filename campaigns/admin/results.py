"""The *Results* of a campaign: what it adds, and its messages set against each other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from campaigns.models import Campaign, FlowVersion, VariantTest
from campaigns.results import picking
from campaigns.results.experiments import experiments
from campaigns.results.goals import reached
from campaigns.results.lift import lift
from crm.kernel import clock, patience, rules
from crm.shop.settings import this_shop

SECONDS = 4.0


class PickForm(forms.ModelForm):
    class Meta:
        model = VariantTest
        fields = ["hours", "people"]


def urls(model_admin: Any) -> list[Any]:
    """The addresses of these buttons, for the admin of campaigns."""

    def view(request: HttpRequest, pk: int) -> HttpResponse:
        return act(model_admin, request, pk)

    wrapped = model_admin.admin_site.admin_view(require_POST(view))
    return [path("<int:pk>/winner/", wrapped, name="campaigns_campaign_winner")]


def context(campaign: Campaign, version: FlowVersion | None, now: datetime) -> dict[str, Any]:
    """What `campaigns/results.html` shows, each part for a few seconds at most."""
    asked = campaign.launched_at is not None
    tests = {test.step_key: test for test in VariantTest.objects.filter(campaign=campaign)}
    found = patience.within(SECONDS, lambda: experiments(campaign, version, now))
    return {
        "lift": patience.within(SECONDS, lambda: lift(campaign, now)) if asked else None,
        "goal": rules.sentence(campaign.goal) if asked and not rules.is_blank(campaign.goal) else "",
        "goal_reached": patience.within(SECONDS, lambda: reached(campaign)) if asked else None,
        "experiments": [{"one": one, "test": tests.get(one.step.key)} for one in found or []],
        "results_slow": found is None,
        "results_asked": asked,
        "results_currency": this_shop().currency,
    }


def act(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Pick a winner, let all compete again, or let the program pick once enough is known."""
    campaign = model_admin.get_object(request, str(pk))
    if campaign is None:
        raise Http404
    if not model_admin.has_change_permission(request, campaign):
        raise PermissionDenied
    step, label = request.POST.get("step", ""), request.POST.get("label", "")
    verb, by, now = request.POST.get("do", ""), request.user.get_username(), clock.now()
    if verb not in ("pick", "compete", "auto", "hands") or "\0" in step + label:
        raise Http404
    try:
        words = _done(campaign, verb, step, label, by, now, request.POST)
    except picking.CannotPick as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    return redirect(reverse("admin:campaigns_campaign_results", args=[pk]))


def _done(campaign: Campaign, verb: str, step: str, label: str, by: str, now: datetime, posted: Any) -> str:
    if verb == "auto":
        form = PickForm(posted)
        if not form.is_valid():
            raise picking.CannotPick(
                " ".join(
                    f"{name.capitalize()}: {error}" for name, found in form.errors.items() for error in found
                )
            )
        picking.let_program_pick(campaign, step, **form.cleaned_data, by=by, now=now)
        return "The program picks the winner once one is as good as certain."
    if verb == "hands":
        picking.keep_to_hands(campaign, step)
        return "The program picks no winner any more."
    if verb == "compete":
        picking.pick(campaign, step, "", by, now)
        return "All messages compete again, among the people who enter from now on."
    if not label:
        raise picking.CannotPick("Which one? Choose the message that won.")
    picking.pick(campaign, step, label, by, now)
    return f"Whoever enters from now on gets {label}. People inside keep the message that was theirs."
