"""Make a task about a person."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth import get_user_model

from crm.kernel.person_acts import CannotAct, PersonAct, person_acts
from crm.people import desk
from crm.person_acts import when

EVENING = time(17)


@person_acts.register
class MakeTask(PersonAct):
    """Something to be done, by oneself or a colleague, by a day, with or without a time, or without one."""

    key = "crm.task"
    label = "Task"
    icon = "add_task"
    button = "Make the task"
    place = 30
    permission = "crm.add_task"

    class Params(forms.Form):
        title = forms.CharField(label="to do", max_length=200)
        owner = forms.ModelChoiceField(
            get_user_model().objects.filter(is_active=True, is_staff=True).order_by("username"), label="by"
        )
        due = when.Day(label="due on", required=False, help_text="Blank: no date.")
        due_time = forms.TimeField(
            label="at",
            required=False,
            widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            help_text="They get an e-mail then. Blank: 17:00.",
        )
        body = forms.CharField(
            label="more about it", max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 2})
        )

    def initial(self, user: Any, now: datetime) -> dict[str, Any]:
        return {"owner": user.pk}

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        if said["due_time"] and not said["due"]:
            raise CannotAct("Choose the day as well: a time alone is due on no day.")
        due_at = when.begins(said["due"], said["due_time"] or EVENING) if said["due"] else None
        desk.make_task(contact_id, said["title"], said["owner"], now, due_at=due_at, body=said["body"])
        return "The task is made."
