"""Move a lead to another stage of its board."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from crm.audience.leads import stages
from crm.audience.leads.stages import Stays
from crm.models import Stage

_WHY = {
    Stays.NO_LEAD: "They are no lead of “{definition}”.",
    Stays.HAND: "A colleague moved them after they came into the campaign; that stands.",
    Stays.AHEAD: "Sales has them already; nothing automatic takes them back.",
}


class StageField(forms.ModelChoiceField):
    """One of the stages of every definition."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.definition}: {obj}"


@steps.register
class SetStage(Step):
    """Moves the person's lead to a stage, forward or back. Whoever is no lead of that definition stays as
    they are. To *ready for sales* it hands over as the rules do: a task and a notice for whoever owns the
    lead.

    It counts as a rule that says something new, not as a colleague's hand: out of *accepted* and *bought* it
    leads only forward, and a colleague's move made after the person came into the campaign stands.
    """

    key = "campaigns.set_stage"
    label = "Move the lead to a stage"
    group = acting.CHANGE
    icon = "moving"

    class Params(forms.Form):
        stage = StageField(
            Stage.objects.select_related("definition").order_by("definition__name", "position", "name"),
            label="to",
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people, stage = acting.whom(batch), batch.params["stage"]
        # Of several runs of one person the latest knows most.
        since = {person.contact_id: person.entered_at for person in sorted(people, key=_entered)}
        stays = stages.move_all(stage, since, batch.now, acting.actor(batch))
        for person in people:
            why = stays.get(person.contact_id)
            if why in _WHY:
                acting.did_not(batch, person, str(why), _WHY[why].format(definition=stage.definition))
            else:
                words = f"Moved to “{stage}” of “{stage.definition}”."
                acting.did(batch, person, words, changed=why is None)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return f"Move to “{params['stage']}” of “{params['stage'].definition}”"


def _entered(person: Any) -> Any:
    return person.entered_at
