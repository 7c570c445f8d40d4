"""Put tags on people, or take them off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from crm.conditions import menus
from crm.models import Contact
from crm.people import changes

ADD, REMOVE = "add", "remove"
MOST, LONGEST = 50, 60


@steps.register
class Tag(Step):
    """Puts tags on the person, or takes them off. Rules, segments and lists ask for tags; when each came and
    went stays in the person's history. Nobody carries more than fifty.
    """

    key = "campaigns.tag"
    label = "Tag"
    group = acting.CHANGE
    icon = "label"

    class Params(forms.Form):
        how = forms.ChoiceField(
            label="what happens", choices=[(ADD, "put on"), (REMOVE, "take off")], initial=ADD
        )
        tag = menus.Words(label="tags", help_text="With commas between them.")

        def clean_tag(self) -> list[str]:
            tags: list[str] = self.cleaned_data["tag"]
            if too_long := next((tag for tag in tags if len(tag) > LONGEST), None):
                raise forms.ValidationError(f"“{too_long[:20]}…” is longer than {LONGEST} letters.")
            return tags

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people, tags = acting.whom(batch), batch.params["tag"]
        puts_on = batch.params["how"] == ADD
        full: set[UUID] = set()

        def answer(contact: Contact) -> Mapping[str, Any]:
            if not puts_on:
                return {"tags": [tag for tag in contact.tags if tag not in tags]}
            new = list(dict.fromkeys([*contact.tags, *tags]))
            if len(new) > MOST:
                full.add(contact.pk)
                return {}
            return {"tags": new}

        changed = changes.change(
            {person.contact_id for person in people}, answer, batch.now, actor=acting.actor(batch)
        )
        words = f"{_words(batch.params)}."
        for person in people:
            if person.contact_id in full:
                acting.did_not(batch, person, "too_many_tags", f"They carry {MOST} tags already.")
            else:
                acting.did(batch, person, words, changed=person.contact_id in changed)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return _words(params)


def _words(params: Mapping[str, Any]) -> str:
    quoted = [f"“{tag}”" for tag in params["tag"]]
    named = " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
    return f"Tag {named}" if params["how"] == ADD else f"Take off the tag {named}"
