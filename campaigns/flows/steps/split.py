"""Different people, different ways on: by chance."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.flows.paths import PathName, refuse_lookalikes
from campaigns.models import Step as StepRow
from crm.kernel import buckets

MOST = 4
HEAVIEST = 1000


class SplitForm(forms.Form):
    """Paths and their weights are declared in pairs."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        names = [cleaned.get(f"path_{number}") or "" for number in range(1, MOST + 1)]
        for number, name in enumerate(names, start=1):
            weight = cleaned.get(f"weight_{number}")
            if name and weight is None and f"weight_{number}" not in self.errors:
                self.add_error(f"weight_{number}", f"Say how many go on along “{name}”.")
            elif name and name in names[: number - 1]:
                self.add_error(f"path_{number}", f"“{name}” stands above already.")
        if sum(map(bool, names)) < 2 and not self.errors:
            self.add_error("path_2", "A split has two paths at least.")
        refuse_lookalikes(names)
        return cleaned


def _fields() -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {}
    for number in range(1, MOST + 1):
        found[f"path_{number}"] = PathName(label=f"path {number}", initial={1: "A", 2: "B"}.get(number, ""))
        found[f"weight_{number}"] = forms.IntegerField(
            label="weight",
            min_value=1,
            max_value=HEAVIEST,
            required=False,
            initial=1 if number <= 2 else None,
            help_text="Its share is its weight among all weights: 1 and 1 is half and half, 9 and 1 a tenth."
            if number == 1
            else "",
        )
    return found


@steps.register
class Split(Step):
    """Puts people on different paths by chance, in shares. The same person always gets the same path at this
    step, in every version of the flow and however often they enter it.

    For two messages of one step, compare them in that step; a split is for different ways on, such as a
    longer wait.
    """

    key = "campaigns.split"
    label = "Split"
    group = acting.PART
    icon = "call_split"
    does = False

    Params: Any = type("Params", (SplitForm,), _fields() | {"__doc__": "Which paths, and how many on each."})

    def paths(self, params: dict[str, Any]) -> list[str]:
        return list(_weights(params))

    def run(self, batch: Batch) -> dict[UUID, Move]:
        salt, weights = f"split:{batch.campaign.pk}:{batch.step.key}", _weights(batch.params)
        for person in batch.people:
            person.path = buckets.pick(salt, person.contact_id, weights)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        weights = _weights(params)
        whole = sum(weights.values())
        return "Split: " + ", ".join(
            f"“{name}” {round(100 * weight / whole)} %" for name, weight in weights.items()
        )


def _weights(params: dict[str, Any]) -> dict[str, float]:
    pairs = [(params[f"path_{number}"], params[f"weight_{number}"]) for number in range(1, MOST + 1)]
    return {name: float(weight) for name, weight in pairs if name}
