"""Let time pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow

UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}
LONGEST = timedelta(days=3 * 366)


@steps.register
class Wait(Step):
    """Nothing happens for a while; then everyone goes on. Who buys meanwhile leaves the flow at its next
    step.
    """

    key = "campaigns.wait"
    label = "Wait"
    icon = "⏳"

    class Params(forms.Form):
        length = forms.DecimalField(label="for", min_value=1, max_value=100_000, initial=24)
        unit = forms.ChoiceField(label="unit", choices=[(unit, unit) for unit in UNITS], initial="hours")

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            if {"length", "unit"} <= cleaned.keys() and _length(cleaned) > LONGEST:
                raise forms.ValidationError("nobody waits longer than three years")
            return cleaned

    def due(self, params: dict[str, Any], at: datetime) -> datetime:
        return at + _length(params)

    def run(self, batch: Batch) -> dict[UUID, Move]:
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        length = params["length"].normalize()
        unit = params["unit"].removesuffix("s") if length == 1 else params["unit"]
        return f"Wait {length:f} {unit}"


def _length(params: dict[str, Any]) -> timedelta:
    return float(params["length"]) * UNITS[params["unit"]]
