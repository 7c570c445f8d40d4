"""The calendar: what is planned to go to whom in the coming six weeks."""

from __future__ import annotations

import calendar
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from campaigns.delivery import limits
from campaigns.delivery.channels.base import channels
from campaigns.flows import planning
from campaigns.flows.kinds import steps
from campaigns.models import Campaign, Step
from crm.kernel import clock, patience
from crm.models import Channel
from crm.shop.settings import shop_zone

SECONDS = 8.0
WEEK = timedelta(days=7)


def urls(model_admin: Any) -> list[Any]:
    """The address of the page, for the admin of campaigns."""

    def page(request: HttpRequest) -> HttpResponse:
        return show(model_admin, request)

    wrapped = model_admin.admin_site.admin_view(require_GET(page))
    return [path("calendar/", wrapped, name="campaigns_campaign_calendar")]


def show(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The page; whoever may see campaigns may see when they write."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    now = clock.now()
    every = planning.planned_campaigns()
    chosen, asked = _chosen(every, request)
    weeks = patience.within(SECONDS, lambda: planning.calendar(now, chosen, _most_a_week()))
    context = model_admin.admin_site.each_context(request) | {
        "title": "Calendar",
        "opts": model_admin.model._meta,
        "weeks": weeks,
        "is_empty": weeks is not None and not any(day.bars for week in weeks for day in week),
        "conflicts": _conflicts(weeks),
        # Narrowed to one campaign the page is one of its own: the way back leads there.
        "original": chosen[0] if asked["campaign"] and chosen else None,
        "campaigns": every,
        "segments": _segments(every),
        "channels": _channels(),
        "asked": asked,
        "is_filtered": any(asked.values()),
        "weekdays": list(calendar.day_name),
        "zone": shop_zone(),
    }
    return render(request, "campaigns/calendar.html", context)


def _most_a_week() -> int | None:
    """How many e-mails the frequency limits leave a person in seven days; nothing where they do not say."""
    return min(
        (limit.at_most for limit in limits.of_all(Channel.EMAIL) if limit.within == WEEK), default=None
    )


def _chosen(every: list[Campaign], request: HttpRequest) -> tuple[list[Campaign], dict[str, str]]:
    """The campaigns that are asked for. What names none of them asks for all."""
    named = {name: request.GET.get(name, "") for name in ("campaign", "channel", "segment")}
    asked = {
        "campaign": named["campaign"] if named["campaign"] in {str(one.pk) for one in every} else "",
        "channel": named["channel"] if named["channel"] in dict(_channels()) else "",
        "segment": named["segment"] if named["segment"] in {str(one.pk) for one in _segments(every)} else "",
    }
    chosen = [one for one in every if asked["campaign"] in ("", str(one.pk))]
    if asked["segment"]:
        chosen = [one for one in chosen if _is_about(one, asked["segment"])]
    if asked["channel"]:
        writing = _writing(asked["channel"])
        chosen = [one for one in chosen if one.pk in writing]
    return chosen, asked


def _channels() -> list[tuple[str, str]]:
    """The channels by which steps write to people."""
    writes = {kind.channel for kind in steps if kind.channel}
    return [(one.sends, one.label) for one in channels if one.sends in writes]


def _writing(channel: str) -> set[int]:
    """The campaigns of which a step writes by this channel."""
    kinds = [kind.key for kind in steps if kind.channel == channel]
    return set(Step.objects.filter(kind__in=kinds).values_list("version__campaign", flat=True))


def _is_about(campaign: Campaign, segment: str) -> bool:
    found = planning.segment_of(campaign)
    return found is not None and str(found.pk) == segment


def _segments(every: list[Campaign]) -> list[Any]:
    found = {segment.pk: segment for one in every if (segment := planning.segment_of(one)) is not None}
    return sorted(found.values(), key=str)


def _conflicts(weeks: list[list[planning.Day]] | None) -> int:
    return sum(bool(bar.conflicts) for week in weeks or [] for day in week for bar in day.bars)
