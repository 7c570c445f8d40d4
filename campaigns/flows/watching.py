"""The forecast guards the launch: where far more people come in on a day than was expected, the campaign
pauses itself before they enter, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F
from django.urls import reverse

from campaigns.flows.kinds import Entrant, triggers
from campaigns.models import Campaign, Enrolment, EntryDay
from crm.models import Notice
from crm.shop.settings import shop_zone

COUNT_IN = """
INSERT INTO campaigns_entryday (campaign_id, on_day, entered) VALUES (%s, %s, %s)
ON CONFLICT (campaign_id, on_day) DO UPDATE SET entered = campaigns_entryday.entered + EXCLUDED.entered
RETURNING entered
"""
BROUGHT = """
INSERT INTO campaigns_entryday (campaign_id, on_day, entered, brought) VALUES (%s, %s, 0, %s)
ON CONFLICT (campaign_id, on_day) DO UPDATE SET brought = campaigns_entryday.brought + EXCLUDED.brought
"""
TIMES = 3
# A few people more than very few is no flood.
AT_LEAST = 30


def lets_in(campaign: Campaign, entrants: Sequence[Entrant], now: datetime) -> bool:
    """Whether these people may come in today, with those who did; existing people, let in so many a day, are
    not counted. The caller holds the campaign's row.

    Where it is more than three times the forecast of a day nobody of them enters and the campaign is paused.
    Whoever resumes it accepts the number that was seen: the guard goes on from there.
    """
    coming = sum(not entrant.is_test and not entrant.is_existing for entrant in entrants)
    if not coming:
        return True
    today = now.astimezone(shop_zone()).date()
    with connection.cursor() as cursor:
        cursor.execute(COUNT_IN, [campaign.pk, today, coming])
        entered = cursor.fetchone()[0]
    most = most_a_day(campaign)
    if most is None or entered <= most:
        return True
    EntryDay.objects.filter(campaign=campaign, on_day=today).update(entered=F("entered") - coming)
    _pause(campaign, entered - coming, coming, now)
    return False


def note_brought(campaign: Campaign, entered: Sequence[Enrolment], now: datetime) -> None:
    """Count people who were put in by hand or sent on by another flow: they belong to the pace, and not to
    what the guard weighs, for no forecast was made of them.
    """
    if number := sum(not person.is_test for person in entered):
        with connection.cursor() as cursor:
            cursor.execute(BROUGHT, [campaign.pk, now.astimezone(shop_zone()).date(), number])


def most_a_day(campaign: Campaign) -> int | None:
    """People a day before it pauses itself; None where no forecast was made, or a colleague planned it."""
    if campaign.trigger in triggers and triggers.get(campaign.trigger).is_planned:
        return None
    expected = campaign.forecast.get("expected")
    if expected is None:
        return None
    return TIMES * max(expected, AT_LEAST)


def _pause(campaign: Campaign, entered: int, coming: int, now: datetime) -> None:
    expected = campaign.forecast["expected"]
    words = (
        f"About {expected:,} people were expected a day when it was launched. Today {entered:,} came in and "
        f"at least {coming:,} more would have: more than {TIMES} times as many. Nobody of them was let in. "
        "Look at what lets people in; if it is right, resume it and they enter."
    )
    campaign.state = Campaign.State.PAUSED
    campaign.state_reason = "paused itself: far more people than forecast"
    campaign.problem, campaign.problem_at = words, now
    campaign.forecast = campaign.forecast | {
        "expected": entered + coming,
        "was_expected": expected,
        "stopped_at": now.isoformat(),
    }
    campaign.save(update_fields=["state", "state_reason", "problem", "problem_at", "forecast"])
    if campaign.owner_id:
        Notice.objects.get_or_create(
            key=f"forecast:{campaign.pk}:{now.isoformat()}",
            defaults={
                "user_id": campaign.owner_id,
                "subject": f"“{campaign}” paused itself"[:200],
                "body": words,
                "path": reverse("admin:campaigns_campaign_change", args=[campaign.pk]),
                "created_at": now,
            },
        )
