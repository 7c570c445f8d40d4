"""People who qualified before a campaign was launched, let in beside the others: so many a day, evenly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from campaigns.flows.kinds import Entrant, Trigger
from campaigns.models import Campaign
from crm.people import local_time


def entrants(
    trigger: Trigger, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
) -> Sequence[Entrant]:
    """Those whose turn has come, at most `limit`. The campaign's row must be locked."""
    wanted = min(turns(campaign, now), limit) if trigger.looks_at_people else 0
    if wanted <= 0:
        return []
    ask: Any = trigger.entrants
    found: Sequence[Entrant] = ask(params, campaign, now, limit=wanted, existing=True)
    return [replace(entrant, is_existing=True) for entrant in found]


def turns(campaign: Campaign, now: datetime) -> int:
    """How many more of them may come in by now: their share of the shop's day so far, less who came today."""
    if not campaign.existing_a_day or campaign.launched_at is None:
        return 0
    begin, end = _day(now)
    passed = (now - max(begin, campaign.launched_at)) / (end - begin)
    share = min(math.floor(campaign.existing_a_day * passed) + 1, campaign.existing_a_day)
    return share - _came(campaign, now)


def note(campaign: Campaign, number: int, now: datetime) -> None:
    """So many of them came in."""
    campaign.existing_in = _came(campaign, now) + number
    campaign.existing_on = _today(now)
    campaign.save(update_fields=["existing_on", "existing_in"])


def _came(campaign: Campaign, now: datetime) -> int:
    return campaign.existing_in if campaign.existing_on == _today(now) else 0


def _today(now: datetime) -> date:
    return now.astimezone(local_time.zone_of("")).date()


def _day(now: datetime) -> tuple[datetime, datetime]:
    """The first moments of the shop's day and of the next; a day of a clock change is shorter or longer."""
    zone, today = local_time.zone_of(""), _today(now)
    return (
        datetime.combine(today, time.min, tzinfo=zone).astimezone(UTC),
        datetime.combine(today + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC),
    )
