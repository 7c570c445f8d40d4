"""The end of a path."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow


@steps.register
class Leave(Step):
    """Everyone who gets here leaves the flow, and the steps below are for others."""

    key = "campaigns.leave"
    label = "Leave the flow"
    group = acting.END
    icon = "logout"
    ends = True
    does = False

    class Params(forms.Form):
        reason = forms.CharField(
            label="because",
            max_length=60,
            required=False,
            help_text="Shown in their history; may stay empty.",
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        move = Move("leave", reason=batch.params["reason"] or "left_at_step")
        return {person.pk: move for person in batch.people}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return f"Leave the flow: {params['reason']}" if params["reason"] else self.label
