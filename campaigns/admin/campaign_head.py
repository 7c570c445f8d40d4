"""What stands above every page of a campaign: its state, what it did this week, and the way to its pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from campaigns.admin.campaign_form import SETTINGS, WHO
from campaigns.flows import four_eyes
from campaigns.flows.triggers.by_hand import ByHand
from campaigns.models import Campaign
from campaigns.results import reporting

FLOW, TRY, RESULTS, PEOPLE, WHY, HAND = "flow", "try", "results", "people", "why", "hand"
WEEK = timedelta(days=7)
# What the pages that name people ask for, besides the campaign itself.
NAMES_PEOPLE = ("crm.view_contact", "campaigns.view_decision")


@dataclass(frozen=True)
class Section:
    key: str
    label: str
    url: str
    is_here: bool


def head(
    model_admin: Any, request: HttpRequest, campaign: Campaign, here: str, now: datetime
) -> dict[str, Any]:
    """The context of the head, for any page of the campaign."""
    asked = four_eyes.open_request(campaign)
    return {
        "original": campaign,
        "opts": model_admin.model._meta,
        "sections": sections(request, campaign, here),
        "week": reporting.campaign_at_work(campaign, now - WEEK),
        "asked": asked,
        "asked_is_void": asked is not None and four_eyes.is_void(asked),
        "may_act": model_admin.has_change_permission(request, campaign),
    }


def page(
    model_admin: Any, request: HttpRequest, campaign: Campaign, here: str, now: datetime, **more: Any
) -> dict[str, Any]:
    """The whole context of a page that is not a form of the admin's own."""
    return (
        model_admin.admin_site.each_context(request)
        | {"title": str(campaign)}
        | head(model_admin, request, campaign, here, now)
        | more
    )


def sections(request: HttpRequest, campaign: Campaign, here: str) -> list[Section]:
    """The pages of the campaign that this person may open."""
    change = flow_url(campaign)
    found = [
        (FLOW, "Flow", change),
        (WHO, "Who", f"{change}?section={WHO}"),
        (SETTINGS, "Settings", f"{change}?section={SETTINGS}"),
        (TRY, "Test run", _url("try", campaign)),
        (RESULTS, "Results", _url("results", campaign)),
    ]
    if request.user.has_perms(NAMES_PEOPLE):
        found += [(PEOPLE, "People", _url("people", campaign)), (WHY, "Why", _url("why", campaign))]
    if campaign.trigger == ByHand.key and request.user.has_perm("campaigns.change_campaign"):
        found.append((HAND, "Put people in", _url("hand", campaign)))
    return [Section(key, label, url, key == here) for key, label, url in found]


def flow_url(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


def _url(name: str, campaign: Campaign) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk])
