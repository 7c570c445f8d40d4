"""Messages compared on a few of many people first: the winner goes to the rest some hours later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms

from campaigns.delivery.arbitration import No
from campaigns.flows import variants
from campaigns.flows.kinds import Batch, triggers
from campaigns.models import Campaign, Enrolment
from campaigns.models import Step as StepRow
from campaigns.results import picking

PERCENT, HOURS = "first_percent", "first_hours"
USUAL_HOURS = 24
# A tenth of fewer people clicks and buys too little to tell one message from another.
FEWEST_PEOPLE = 20_000
MOST_PERCENT = 90


class FirstFew(forms.Form):
    """What a step that compares messages asks besides."""

    first_percent = forms.IntegerField(
        label="compared messages: each first to so many percent",
        min_value=1,
        max_value=45,
        required=False,
        help_text="Of a broadcast: the rest waits, and gets what was ahead by then. 10: enough to tell, and "
        f"most people get the better one. Of fewer than {FEWEST_PEOPLE:,} people everybody gets one of them "
        "at once, in equal parts: a tenth of them tells nothing. Blank: everybody at once.",
    )
    first_hours = forms.IntegerField(
        label="and the winner to the rest after so many hours",
        min_value=1,
        max_value=168,
        required=False,
        help_text=f"Blank: {USUAL_HOURS}, which is the same time of day.",
    )


def is_asked(params: Mapping[str, Any], step: StepRow) -> bool:
    """Whether the step holds most people back for a winner."""
    return bool(params.get(PERCENT)) and bool(step.variants.all())


def are_too_few(campaign: Campaign) -> bool:
    """Whether so few people were expected at the launch that a part of them would tell nothing."""
    return too_few(campaign.forecast.get("expected"))


def too_few(expected: int | None) -> bool:
    return expected is not None and expected < FEWEST_PEOPLE


def sentence(params: Mapping[str, Any], step: StepRow) -> str:
    """How it goes about, to follow what the step sends; blank where it sends to all at once."""
    if not is_asked(params, step):
        return ""
    return f", each first to {params[PERCENT]} %, the better one to the rest after {_hours(params)} hours"


def problems(params: Mapping[str, Any], step: StepRow) -> list[str]:
    """What keeps the comparison on a few first from working, in words."""
    if not params.get(PERCENT):
        return []
    compared, percent = len(step.variants.all()), params[PERCENT]
    if not compared:
        return ["To go to some percent first it needs messages to compare: add them, or leave that blank."]
    if percent * compared > MOST_PERCENT:
        return [f"{compared} messages to {percent} % each leave too few for the winner: take fewer percent."]
    trigger = step.version.campaign.trigger
    if trigger in triggers and not triggers.get(trigger).is_planned:
        return ["Only a message to many at one time can go to some percent first: leave the percent blank."]
    return []


class Rest:
    """Those of one batch who are not among the first, and what they wait for."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        asked = is_asked(batch.params, batch.step) and not are_too_few(batch.campaign)
        self.percent = batch.params[PERCENT] if asked else 0
        self.hours = _hours(batch.params)

    def __contains__(self, person: Enrolment) -> bool:
        campaign_id = self.batch.campaign.pk
        return bool(
            self.percent
            and not person.is_test
            and not variants.is_among_the_first(self.batch.step, campaign_id, person.contact_id, self.percent)
        )

    def wait_of(self, person: Enrolment) -> No | None:
        """That this person still waits for the winner; nothing once their time has come."""
        until = (person.arrived_at or person.entered_at) + timedelta(hours=self.hours)
        if until <= self.batch.now:
            return None
        share = self.percent * len(self.batch.step.variants.all())
        words = f"Compared on {share} % first; the better message goes to them {self.hours} hours later."
        return No("comparing", words, until, "comparing", until, {"until": until.isoformat()})

    def counts_from(self, person: Enrolment) -> datetime:
        """Who won before this instant goes to them: whoever waited for a winner gets what has won now."""
        return self.batch.now if person in self else person.entered_at

    def settle(self) -> None:
        """Have a winner, if there is something to tell by: the time of some of the rest has come."""
        step, campaign = self.batch.step, self.batch.campaign
        if not variants.winner_of(step, campaign.pk):
            picking.pick_leader(campaign, step.key, self.hours, self.batch.now)
            variants.forget_winner(step)


def _hours(params: Mapping[str, Any]) -> int:
    return int(params.get(HOURS) or USUAL_HOURS)
