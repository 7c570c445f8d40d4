"""Several messages in one step: who gets which, and the rows behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from campaigns.models import Step, StepVariant, Template, VariantPick
from crm.kernel import buckets

MOST = 8
HEAVIEST = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """One message of a step as somebody wants it: its share is its weight among all weights."""

    label: str
    template: Template
    weight: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """The message one person gets: the template's number, and the label of the variant, if there are any."""

    template_id: int | None
    label: str = ""


def step_of(template: Template) -> Step | None:
    """The newest step that sends this message."""
    rows = Step.objects.filter(Q(template=template) | Q(variants__template=template))
    return rows.select_related("version__campaign", "offer").order_by("-pk").first()


def choose(step: Step, campaign_id: int, contact_id: object, entered_at: datetime) -> Chosen:
    """Always the same for one person and step, in every version of the flow; another step asks anew. Whoever
    entered after a winner was picked gets the winner.
    """
    rows = _compared(step)
    if not rows:
        return Chosen(step.template_id)
    won = next((label for at, label in _picks(step, campaign_id) if at <= entered_at), "")
    if winner := next((row for row in rows if row.label == won), None):
        return Chosen(winner.template_id, winner.label)
    label = buckets.pick(
        f"variant:{campaign_id}:{step.key}", contact_id, {row.label: float(row.weight) for row in rows}
    )
    return next(Chosen(row.template_id, row.label) for row in rows if row.label == label)


def is_among_the_first(step: Step, campaign_id: int, contact_id: object, percent: int) -> bool:
    """Whether somebody is one of those to whom the messages of the step go before there is a winner: so many
    percent of all for each message. The same people for ever.
    """
    share = min(percent * len(_compared(step)) / 100, 1.0)
    return buckets.share(f"first:{campaign_id}:{step.key}", contact_id) < share


def winner_of(step: Step, campaign_id: int) -> str:
    """The label of the message that won by now; blank: all compete."""
    return next((label for _, label in _picks(step, campaign_id)), "")


def forget_winner(step: Step) -> None:
    """A winner has just been picked: ask again."""
    step.__dict__.pop("_winners", None)


def _compared(step: Step) -> list[StepVariant]:
    """The messages it compares, read once a step in hand: it is asked for each person of a batch."""
    found: list[StepVariant] | None = step.__dict__.get("_compared")
    if found is None:
        found = step.__dict__["_compared"] = list(step.variants.all())
    return found


def _picks(step: Step, campaign_id: int) -> list[tuple[datetime, str]]:
    """The winners picked for the step, the newest first; asked once a step in hand."""
    found: list[tuple[datetime, str]] | None = step.__dict__.get("_winners")
    if found is None:
        picks = VariantPick.objects.filter(campaign_id=campaign_id, step_key=step.key)
        found = list(picks.order_by("-picked_at", "-pk").values_list("picked_at", "label"))
        step.__dict__["_winners"] = found
    return found


def messages_of(step: Step) -> list[tuple[str, Template]]:
    """Every message the step may send, with its label where there are several."""
    rows = [(row.label, row.template) for row in step.variants.all()]
    return rows or ([("", step.template)] if step.template else [])


def shares_of(step: Step) -> list[tuple[StepVariant, int]]:
    """Each variant with its share of the people in percent."""
    rows = list(step.variants.all())
    whole = sum(row.weight for row in rows) or 1
    return [(row, round(100 * row.weight / whole)) for row in rows]


def sentence(step: Step) -> str:
    """The variants in words; nothing where there are none."""
    shares = shares_of(step)
    return " or ".join(f"{row.label} “{row.template}” ({share} %)" for row, share in shares)


def problems(step: Step) -> list[str]:
    """What keeps the comparison from working, in words."""
    rows = list(step.variants.all())
    if len(rows) == 1:
        return ["One message is no comparison: add a second one, or take the first away."]
    return []


def keep(step: Step, wanted: Sequence[Wanted]) -> None:
    """Make these the variants of the step; none: the step sends its one message."""
    with transaction.atomic():
        step.variants.all().delete()
        StepVariant.objects.bulk_create(
            StepVariant(step=step, label=one.label, template=one.template, weight=one.weight, position=place)
            for place, one in enumerate(wanted)
        )


def copy(pairs: Sequence[tuple[Step, Step]]) -> None:
    """The variants of each first step for the second, its copy in another version."""
    copies = {old.pk: new for old, new in pairs}
    StepVariant.objects.bulk_create(
        StepVariant(
            step=copies[row.step_id],
            label=row.label,
            template_id=row.template_id,
            weight=row.weight,
            position=row.position,
        )
        for row in StepVariant.objects.filter(step__in=copies)
    )
