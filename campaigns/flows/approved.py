"""What a second person approved goes out as it was approved, or not at all.

Where a message to many at one time was changed between its approval and its moment, the campaign stops itself
before anybody is written to.
"""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from campaigns.flows import sealing
from campaigns.flows.kinds import triggers
from campaigns.models import Campaign, Enrolment, LaunchRequest
from crm.models import Notice


def holds(campaign: Campaign, now: datetime) -> bool:
    """Whether the first people may enter, as far as an approval goes; a campaign that nobody had to approve,
    and one that people are in already, goes on. The caller holds the campaign's row.
    """
    if campaign.trigger not in triggers or not triggers.get(campaign.trigger).is_planned:
        return True
    asked = LaunchRequest.objects.filter(
        campaign=campaign, state=LaunchRequest.State.APPROVED, answered_at__gte=campaign.launched_at
    ).last()
    if asked is None:
        return True
    inside = Enrolment.objects.filter(campaign=campaign, is_test=False, entered_at__gte=campaign.launched_at)
    if inside.exists() or sealing.say_the_same(asked.seal, sealing.seal(campaign, in_use=True)):
        return True
    _stop(campaign, asked, now)
    return False


def _stop(campaign: Campaign, asked: LaunchRequest, now: datetime) -> None:
    words = (
        f"It was changed after {asked.answered_by} approved it, so nobody was written to. Look at what it "
        "says and whom it goes to, give it a new moment and launch it anew: that asks for an approval of "
        "what stands there now."
    )
    campaign.state = Campaign.State.STOPPED
    campaign.state_reason = "stopped itself: changed after it was approved"
    campaign.problem, campaign.problem_at = words, now
    campaign.save(update_fields=["state", "state_reason", "problem", "problem_at"])
    told = {pk for pk in (asked.asker_id, asked.answerer_id, campaign.owner_id) if pk is not None}
    Notice.objects.bulk_create(
        Notice(
            key=f"approved:{asked.pk}:{pk}",
            user_id=pk,
            subject=f"“{campaign}” stopped itself"[:200],
            body=words,
            path=reverse("admin:campaigns_campaign_change", args=[campaign.pk]),
            created_at=now,
        )
        for pk in sorted(told)
    )
