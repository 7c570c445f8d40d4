"""Give a colleague something to do about a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting, colleagues
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from crm.kernel import ids
from crm.models import Task


@steps.register
class MakeTask(Step):
    """Makes a task about the person for whoever looks after them, or for one colleague. It stands under
    *Tasks* and on the person's page until somebody says it is done.

    Where nobody looks after the person it is the campaign's owner's, and else nobody's: under *Tasks* →
    *nobody's*.
    """

    key = "campaigns.make_task"
    label = "Make a task"
    group = acting.TELL
    icon = "task_alt"

    class Params(colleagues.ToWhom):
        title = colleagues.Words(label="to do", max_length=150)
        words = colleagues.Words(
            label="more about it", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 4})
        )
        days = forms.IntegerField(
            label="due within days", min_value=0, max_value=365, required=False, help_text="Blank: no date."
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people, params = acting.whom(batch), batch.params
        told = colleagues.Told(batch, people)
        due_at = None if params["days"] is None else batch.now + timedelta(days=params["days"])
        made = []
        for person in people:
            user = told.who(person)
            body = [told.words(params["words"], person)] if params["words"] else []
            made.append(
                Task(
                    id=ids.uuid_from(acting.once(batch, person)),
                    contact_id=person.contact_id,
                    owner=user,
                    title=told.words(params["title"], person)[:200],
                    body="\n\n".join([*body, told.reasons(person)]),
                    due_at=due_at,
                    created_at=batch.now,
                )
            )
            whose = colleagues.name_of(user) if user else "nobody yet"
            acting.did(batch, person, f"A task for {whose}.")
        Task.objects.bulk_create(made, ignore_conflicts=True)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return f"A task for {colleagues.in_words(params)}: “{params['title']}”"
