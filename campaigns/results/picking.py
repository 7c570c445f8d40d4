"""Picking the winner among the messages of a step: by hand, or by the program once enough is known.

Whoever comes after gets the winner; everybody inside keeps the message that was theirs. Nothing is forgotten:
each pick is a row with who, when, and what was known.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from campaigns.models import Campaign, Step, StepVariant, VariantPick, VariantTest
from campaigns.results.experiments import Experiment, experiments, leader
from crm.kernel.work import Budget


class CannotPick(ValueError):
    """It cannot be picked; says why."""


def pick(
    campaign: Campaign, step_key: str, label: str, by: str, now: datetime, words: str = ""
) -> VariantPick:
    """From now on new people get this message of the step; a blank label lets all compete again."""
    there = StepVariant.objects.filter(step__version__campaign=campaign, step__key=step_key)
    if label and not there.filter(label=label).exists():
        raise CannotPick(f"The step has no message called “{label}”.")
    with transaction.atomic():
        VariantTest.objects.filter(campaign=campaign, step_key=step_key).update(looked_at_people=0)
        return VariantPick.objects.create(
            campaign=campaign, step_key=step_key, label=label, picked_at=now, picked_by=by, words=words[:300]
        )


def let_program_pick(
    campaign: Campaign, step_key: str, hours: int, people: int, by: str, now: datetime
) -> VariantTest:
    """Not before so many hours and so many people each."""
    return VariantTest.objects.update_or_create(
        campaign=campaign,
        step_key=step_key,
        defaults={"hours": hours, "people": people, "asked_by": by, "asked_at": now, "looked_at_people": 0},
    )[0]


def keep_to_hands(campaign: Campaign, step_key: str) -> None:
    """The program picks no winner here any more."""
    VariantTest.objects.filter(campaign=campaign, step_key=step_key).delete()


def pick_winners(now: datetime, budget: Budget) -> int:
    """Look where somebody asked for it, and pick what has won. Returns how many.

    Each look could be fooled by chance, so there are few: when the least number is there, and again each time
    it has doubled.
    """
    picked = 0
    asked = VariantTest.objects.filter(campaign__state=Campaign.State.RUNNING, asked_at__lte=now)
    for test in asked.select_related("campaign__current").order_by("campaign", "pk"):
        found = experiments(test.campaign, test.campaign.current, now)
        one = next((one for one in found if one.step.key == test.step_key), None)
        if one is not None and _is_time(test, one, now):
            picked += _look(test, one, now)
        if not budget:
            break
    return picked


def pick_leader(campaign: Campaign, step_key: str, hours: int, now: datetime) -> str:
    """Pick what is ahead by now, however little is sure, for those who wait for it; returns its label. Blank
    where nothing is known yet, so that all go on competing. Whoever comes second finds what the first picked.
    """
    with transaction.atomic():
        # The step's row and not the campaign's: whoever moves people to a new version holds that one while
        # they wait for the people we hold.
        turn = Step.objects.filter(version=campaign.current_id, key=step_key)
        turn.select_for_update(no_key=True).first()
        found = experiments(campaign, campaign.current, now)
        one = next((one for one in found if one.step.key == step_key), None)
        if one is None:
            return ""
        if one.pick is not None and one.pick.label:
            return one.pick.label
        ahead = leader(one)
        if ahead is None:
            return ""
        pick(campaign, step_key, ahead.label, "", now, f"Ahead after {hours} hours: {ahead.words}.")
        return ahead.label


def _is_time(test: VariantTest, one: Experiment, now: datetime) -> bool:
    if one.pick is not None and one.pick.label:
        return False
    begun = [row.first_at for row in one.rows if row.first_at]
    if not begun or now - min(begun) < timedelta(hours=test.hours):
        return False
    return _fewest(one) >= max(test.people, 2 * test.looked_at_people)


def _fewest(one: Experiment) -> int:
    return min((row.people for row in one.rows if row.share is not None), default=0)


def _look(test: VariantTest, one: Experiment, now: datetime) -> int:
    if one.verdict.kind != "won":
        VariantTest.objects.filter(pk=test.pk).update(looked_at_people=_fewest(one))
        return 0
    best = next(row for row in one.rows if row.label == one.verdict.label)
    words = f"Chance to be best {best.chance_percent} %, {_fewest(one):,} people each or more."
    pick(test.campaign, test.step_key, best.label, "", now, words)
    return 1
