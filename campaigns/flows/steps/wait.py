"""Let time pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow

UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}
LONGEST = timedelta(days=3 * 366)


class LengthForm(forms.Form):
    """How long."""

    length = forms.DecimalField(label="for", min_value=1, max_value=100_000, initial=24)
    unit = forms.ChoiceField(label="unit", choices=[(unit, unit) for unit in UNITS], initial="hours")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"length", "unit"} <= cleaned.keys() and length_of(cleaned) > LONGEST:
            raise forms.ValidationError("nobody waits longer than three years")
        return cleaned


def length_of(params: dict[str, Any]) -> timedelta:
    return float(params["length"]) * UNITS[params["unit"]]


def length_in_words(params: dict[str, Any]) -> str:
    length = params["length"].normalize()
    unit = params["unit"].removesuffix("s") if length == 1 else params["unit"]
    return f"{length:f} {unit}"


@steps.register
class Wait(Step):
    """Nothing happens for a while; then everyone goes on. Who buys meanwhile leaves the flow at its next
    step.
    """

    key = "campaigns.wait"
    label = "Wait"
    group = acting.WAIT
    icon = "hourglass_empty"
    does = False

    class Params(LengthForm):
        """How long."""

    def due(self, params: dict[str, Any], at: datetime) -> datetime:
        return at + length_of(params)

    def run(self, batch: Batch) -> dict[UUID, Move]:
        # Whoever was moved here from a version with a shorter wait goes on waiting.
        length = length_of(batch.params)
        ends = {person.pk: person.arrived_at + length for person in batch.people if person.arrived_at}
        return {key: Move("stay", end) for key, end in ends.items() if end > batch.now}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return f"Wait {length_in_words(params)}"
