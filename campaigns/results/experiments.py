"""Messages set against each other: what each of them did, the chance to be best, and whether one has won.

Chance alone decides who gets which message, so whatever differs between their people is the message's doing:
all orders of the days after it count, clicked or not. Once a winner is picked, those who come later do not
count here: they were given no choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from campaigns.flows import variants
from campaigns.flows.kinds import triggers
from campaigns.models import Campaign, FlowVersion, Step, VariantPick
from campaigns.results import chances, tallies, waiting
from campaigns.results.tallies import Key, Variant

SURE = 0.99
# A difference smaller than this is not worth waiting for.
WORTH = 0.2
WORSE = 0.95
FEWEST_LEFT = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said: *won*, *barred* (ahead, but more people stop), *early*, *alike*."""

    kind: str
    words: str
    label: str = ""
    more_people: int | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """One step whose messages are compared."""

    step: Step
    rows: list[Variant]
    by_margin: bool
    verdict: Verdict
    days: int
    pick: VariantPick | None

    @property
    def words(self) -> str:
        return f"Step {self.step.position}: {' or '.join(row.label for row in self.rows)}"

    @property
    def measure(self) -> str:
        return "Margin" if self.by_margin else "Revenue"


def experiments(campaign: Campaign, version: FlowVersion | None, now: datetime) -> list[Experiment]:
    """Every step of the version that compares messages; a fixed number of queries."""
    rows = list(version.steps.prefetch_related("variants__template")) if version else []
    compared = [row for row in rows if row.variants.all()]
    if not compared:
        return []
    picks = newest_picks(campaign)
    days = days_of(campaign)
    counted = tallies.tally(campaign, compared, picks, days)
    return [_experiment(step, counted, picks.get(step.key), days, now) for step in compared]


def newest_picks(campaign: Campaign) -> dict[str, VariantPick]:
    """The last word on each step, by its key."""
    found = VariantPick.objects.filter(campaign=campaign).order_by("picked_at", "pk")
    return {pick.step_key: pick for pick in found}


def days_of(campaign: Campaign) -> int:
    """For how many days after it what people buy is counted to a message or a run."""
    return triggers.get(campaign.trigger).lift_days if campaign.trigger in triggers else 14


def judge(rows: Sequence[Variant], by_margin: bool, now: datetime) -> Verdict:
    """Whether one of the messages has won, or what is missing. Those that are gone do not take part."""
    rows = [row for row in rows if row.share is not None]
    if len(rows) < 2:
        return Verdict("early", "There is nothing to compare.")
    means = [row.margin if by_margin else row.money for row in rows]
    more = _missing(rows, means)
    if not all(mean.is_large for mean in means):
        return Verdict("early", waiting.not_enough(more, _a_week(rows, now), "each"), more_people=more)
    leading = max(rows, key=lambda row: row.chance or 0.0)
    if (leading.chance or 0.0) < SURE:
        if more == 0:
            words = "No difference of a fifth or more: they do about the same. Keep the one you like."
            return Verdict("alike", words)
        words = waiting.not_enough(more, _a_week(rows, now), "each")
        return Verdict("early", words, leading.label, more)
    if worse := _worse(leading, rows):
        words = f"{leading.label} brings more, but {worse}: not a winner."
        return Verdict("barred", words, leading.label)
    return Verdict("won", f"{leading.label} is the best, as good as certainly.", leading.label)


@dataclass(frozen=True, slots=True)
class Leader:
    """The message that is ahead, and by what, in words."""

    label: str
    words: str


def leader(one: Experiment) -> Leader | None:
    """What is ahead now, of those of which not more people stop: by margin or money a person where enough
    have bought for it, else by clicks. Nothing where a message has not been sent yet.
    """
    rows = [row for row in one.rows if row.share is not None]
    if len(rows) < 2 or not all(row.people for row in rows):
        return None
    fair = [row for row in rows if not _worse(row, rows)] or rows
    if all(row.chance is not None for row in rows):
        best = max(fair, key=lambda row: row.chance or 0.0)
        return Leader(
            best.label, f"{one.measure.lower()} a person, chance to be best {best.chance_percent} %"
        )
    rates = [chances.Rate(row.clicked, row.people) for row in rows]
    sure = dict(zip((row.label for row in rows), chances.to_be_best(rates), strict=True))
    best = max(fair, key=lambda row: sure[row.label])
    counts = ", ".join(f"{row.label} {row.clicked:,} of {row.people:,}" for row in rows)
    return Leader(best.label, f"clicked {counts}, chance to be best {100 * sure[best.label]:.0f} %")


def _missing(rows: Sequence[Variant], means: Sequence[chances.Mean]) -> int | None:
    """How many more people each of them needs until a difference that is worth waiting for would be seen."""
    people = sum(mean.of for mean in means)
    total = sum(mean.total for mean in means)
    whole = chances.Mean(people, total, sum(mean.squares for mean in means))
    needed = chances.needed_each(whole.mean, whole.variance, WORTH)
    if needed is None:
        return None
    fewest = min(row.people for row in rows)
    # So many that the rarest buyers become enough.
    rarest = max(mean.of * chances.ENOUGH_BUYERS / max(mean.some, 1) for mean in means)
    return max(needed - fewest, round(rarest) - fewest if rarest > fewest else 0, 0)


def _a_week(rows: Sequence[Variant], now: datetime) -> float:
    """How many people the slowest of them gets in a week."""
    begun = [row.first_at for row in rows if row.first_at]
    if not begun:
        return 0.0
    weeks = max(now - min(begun), timedelta(days=1)) / timedelta(days=7)
    return min(row.people for row in rows) / weeks


def _worse(leading: Variant, rows: Sequence[Variant]) -> str:
    """What guards the winner: whether more of its people unsubscribe or complain than of the others."""
    others = [row for row in rows if row.label != leading.label]
    people = sum(row.people for row in others)
    for number, rest, words in (
        (leading.stopped, sum(row.stopped for row in others), "more people unsubscribe"),
        (leading.complained, sum(row.complained for row in others), "more people complain"),
    ):
        mine, theirs = chances.Rate(number, leading.people), chances.Rate(rest, people)
        if number >= FEWEST_LEFT and chances.higher(mine, theirs) > WORSE:
            return words
    return ""


def _experiment(
    step: Step, counted: dict[Key, Variant], pick: VariantPick | None, days: int, now: datetime
) -> Experiment:
    there = {row.label: (str(row.template), share) for row, share in variants.shares_of(step)}
    gone = sorted(label for key, label in counted if key == step.key and label not in there)
    rows = [
        replace(counted.get((step.key, label), Variant(label)), message=message, share=share)
        for label, (message, share) in there.items()
    ]
    by_margin = bool(rows) and all(row.costs_known for row in rows) and any(row.bought for row in rows)
    contest = [row.margin if by_margin else row.money for row in rows]
    if len(rows) > 1 and all(mean.is_large for mean in contest):
        rows = [
            replace(row, chance=chance) for row, chance in zip(rows, chances.to_be_best(contest), strict=True)
        ]
    verdict = judge(rows, by_margin, now)
    won = pick.label if pick else ""
    rows += [counted[step.key, label] for label in gone]
    rows = [replace(row, is_winner=bool(won) and row.label == won, by_margin=by_margin) for row in rows]
    return Experiment(step, rows, by_margin, verdict, days, pick)
