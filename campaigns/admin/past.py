"""The part of *Test run* about the past: by day, whom the campaign would have written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest

from campaigns.flows import recalling
from campaigns.models import Campaign
from crm.access import reach
from crm.models import Contact
from crm.shop.settings import this_shop

HEIGHT, STEP, GAP = 120, 10, 2
KEYS = {
    recalling.SENT: "sent",
    recalling.NOT_ALLOWED: "not-allowed",
    recalling.HELD_OUT: "held-out",
    recalling.TOO_SOON: "too-soon",
    recalling.LIMITED: "limited",
}


@dataclass(frozen=True)
class Bar:
    """One piece of the bar of one day."""

    key: str
    x: int
    y: float
    height: float


def context(request: HttpRequest, campaign: Campaign, now: datetime) -> dict[str, Any]:
    """The days that are asked for; none beside somebody who is walked through."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(span) for span in recalling.SPANS} else 0
    shown: dict[str, Any] = {"spans": recalling.SPANS, "days": days, "past": None, "no_past": ""}
    look_at = _day(request)
    if not days and "as" in request.GET:
        return shown
    shown["days"] = days = days or recalling.SPANS[0]
    try:
        run = recalling.recall(campaign, days, now, look_at=look_at)
    except recalling.CannotRecall as error:
        return shown | {"no_past": str(error)}
    reasons = [(KEYS[reason], reason) for reason, _number in run.held]
    return shown | {
        "past": run,
        "bars": bars(run),
        "legend": [("sent", recalling.SENT), *reasons],
        "table": [(day, [day.counts[reason] for reason, _number in run.held]) for day in run.days],
        "currency": this_shop().currency,
        **(_people(run, look_at) if look_at else {}),
        "width": STEP * days,
        "height": HEIGHT,
        "bar": STEP - GAP,
    }


def _day(request: HttpRequest) -> date | None:
    """The day whose people are asked for, by somebody who may see people."""
    if not request.user.has_perm("crm.view_contact"):
        return None
    try:
        return date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return None


def _people(run: recalling.Run, look_at: date) -> dict[str, Any]:
    """Whoever would have come in on a day, as far as this colleague sees them."""
    day = next((day for day in run.days if day.on == look_at), None)
    if day is None:
        return {}
    known = reach.seen(Contact.objects.all()).in_bulk([one.person for one in run.came])
    shown = [(known[one.person], one.at, one.verdict) for one in run.came if one.person in known]
    return {"look_at": look_at, "came": shown, "unseen": day.people - len(shown)}


def bars(run: recalling.Run) -> list[Bar]:
    """The pieces of all bars, from the ground up."""
    unit = HEIGHT / max(run.tallest, 1)
    found = []
    for place, day in enumerate(run.days):
        top = float(HEIGHT)
        for reason, key in KEYS.items():
            if number := day.counts[reason]:
                top -= number * unit
                found.append(Bar(key, place * STEP, round(top, 2), round(number * unit, 2)))
    return found
