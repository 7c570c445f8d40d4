"""Goals that were reached: noticed by the tick that moves people on, wherever they stand.

Asked again are those who were written about since the last time, and those whom time alone has moved, as at
steps that wait for something (`listening`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from campaigns.flows import entry
from campaigns.flows.kinds import triggers
from campaigns.flows.listening import OFTEN, SELDOM, changed_since
from campaigns.models import Campaign, Decision, Due, Enrolment
from crm.kernel import rules
from crm.models.writing import insert_rows
from crm.people import stirring

AIM = "The goal"


def to_ask(now: datetime) -> list[int]:
    """The running campaigns with a goal, as far as it is time to ask."""
    waiting = Q(goal_asked_at=None) | Q(goal_asked_at__lte=now - OFTEN)
    found = Campaign.objects.filter(waiting, state=Campaign.State.RUNNING).exclude(goal={})
    return list(found.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def notice(campaign_id: int, now: datetime) -> int:
    """Note whose goal is reached by now: of people inside, and of those who have left no longer ago than what
    it earns is counted. Returns how many. Nothing where another process asks.
    """
    locked = Campaign.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    campaign = locked.filter(pk=campaign_id).first()
    if campaign is None or rules.is_blank(campaign.goal):
        return 0
    mark = stirring.mark()
    among = changed_since(campaign.goal, campaign.goal_asked_at, campaign.goal_marked, now, mark)
    if among is None and campaign.goal_asked_at and campaign.goal_asked_at > now - SELDOM:
        return 0
    reached = _reached(campaign, among, now) if among is None or among else []
    Enrolment.objects.filter(pk__in=[run.pk for run in reached]).update(goal_at=now)
    insert_rows([decision(run, campaign, now) for run in reached])
    Campaign.objects.filter(pk=campaign.pk).update(goal_marked=mark, goal_asked_at=now)
    return len(reached)


def decision(run: Enrolment, campaign: Campaign, now: datetime) -> Decision:
    """What is written down of it."""
    return Decision(
        contact_id=run.contact_id,
        campaign=campaign,
        enrolment_id=run.pk,
        verdict=Decision.Verdict.GOAL,
        reason="goal",
        words="Reached the goal of the campaign.",
        decided_at=now,
    )


def _reached(campaign: Campaign, among: Sequence[UUID] | None, now: datetime) -> list[Enrolment]:
    days = triggers.get(campaign.trigger).lift_days if campaign.trigger in triggers else 0
    open_ = Q(state=Enrolment.State.ACTIVE) | Q(qualified_at__gt=now - timedelta(days=days))
    runs = Enrolment.objects.filter(open_, campaign=campaign, goal_at=None)
    if among is not None:
        runs = runs.filter(rules.AnyOf(F("contact_id"), among))
    found: list[Enrolment] = []
    for kind in list(runs.order_by("subject_kind").values_list("subject_kind", flat=True).distinct()):
        of_kind = runs.filter(subject_kind=kind)
        found += entry.fulfilling(of_kind, campaign.goal, AIM, now, kind, among=among)
    # Whoever is being moved on at this moment is asked there.
    inside = [run.pk for run in found if run.state == Enrolment.State.ACTIVE]
    mine = Due.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    held = set(mine.filter(pk__in=inside).order_by("pk").values_list("pk", flat=True))
    return [run for run in found if run.state != Enrolment.State.ACTIVE or run.pk in held]
