"""What the limits did lately, and in which order campaigns go, for the marketers' page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F

from campaigns.models import Campaign, Decision

REASONS = {
    "frequency": "another message had used up a limit",
    "beaten": "a better message went first",
    "quiet_hours": "it was night where they are",
    "offer_today": "they had had their offer of the day",
    "shop_control_group": "they are in the shop-wide control group",
}
_VERDICTS = {
    Decision.Verdict.WAITED: "made to wait",
    Decision.Verdict.SKIPPED: "skipped",
    Decision.Verdict.QUEUED: "sent without the offer",
    Decision.Verdict.HELD_OUT: "held out",
}


@dataclass(frozen=True)
class Held:
    """How often one reason had one effect."""

    reason: str
    effect: str
    times: int


def held_lately(now: datetime, days: int = 7) -> list[Held]:
    """What the gate held back within the last days, by reason; told once for each wait."""
    rows = (
        Decision.objects.filter(
            verdict__in=list(_VERDICTS), decided_at__gt=now - timedelta(days=days), reason__in=list(REASONS)
        )
        .order_by()
        .values_list("reason", "verdict")
        .annotate(times=Count("pk"))
    )
    found = [
        Held(REASONS[reason], _VERDICTS[Decision.Verdict(verdict)], times) for reason, verdict, times in rows
    ]
    return sorted(found, key=lambda one: -one.times)


def in_order() -> list[Campaign]:
    """The campaigns that write to people or are about to, the one that goes first at the top."""
    going = Campaign.objects.exclude(state=Campaign.State.STOPPED).select_related("purpose", "for_status")
    return list(going.order_by("priority", F("for_status").asc(nulls_last=True), "name", "pk")[:200])
