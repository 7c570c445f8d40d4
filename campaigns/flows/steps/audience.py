"""Put people on a fixed list, or take them off."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from crm.audience import lists
from crm.models import Segment

ADD, REMOVE = "add", "remove"


@steps.register
class Audience(Step):
    """Puts the person on a fixed list, or takes them off. Lists are made under *Segments*; they are what
    other campaigns, exports and the audience files of ad networks are made from.

    People of the control group are not put on any list: what reaches them by it would reach them after all.
    """

    key = "campaigns.audience"
    label = "Put on a list"
    group = acting.GIVE
    icon = "group_add"

    class Params(forms.Form):
        how = forms.ChoiceField(
            label="what happens", choices=[(ADD, "put on"), (REMOVE, "take off")], initial=ADD
        )
        list = forms.ModelChoiceField(
            Segment.objects.filter(kind=Segment.Kind.FIXED).order_by("name"),
            label="the list",
            help_text="A fixed list; segments with a rule are kept up by their rule.",
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people, segment = acting.whom(batch), batch.params["list"]
        ids = {person.contact_id for person in people}
        inside = lists.on_it(segment, ids)
        if batch.params["how"] == ADD and ids - inside:
            lists.add(segment, ids - inside, batch.now)
        elif batch.params["how"] == REMOVE and inside:
            lists.remove(segment, inside, batch.now)
        words = f"{_words(batch.params)}."
        for person in people:
            changed = (person.contact_id in inside) == (batch.params["how"] == REMOVE)
            acting.did(batch, person, words, changed=changed)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return _words(params)


def _words(params: dict[str, Any]) -> str:
    return f"{'Put on' if params['how'] == ADD else 'Take off'} the list “{params['list']}”"
