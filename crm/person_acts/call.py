"""Write down a call, a meeting or a message by another way, and when to speak again."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction

from crm.kernel.person_acts import CannotAct, PersonAct, person_acts
from crm.models import Contact, Note
from crm.people import desk
from crm.person_acts import when

MORNING = time(9)


@person_acts.register
class LogCall(PersonAct):
    """What came of a call, a meeting or a message by another way; with a day to call again it makes the task
    as well.
    """

    key = "crm.call"
    label = "Call"
    icon = "call"
    button = "Keep it"
    place = 20
    permission = "crm.add_note"

    class Params(forms.Form):
        kind = forms.ChoiceField(
            label="it was a",
            choices=[
                (kind.value, kind.label) for kind in (Note.Kind.CALL, Note.Kind.MEETING, Note.Kind.MESSAGE)
            ],
            help_text="Elsewhere: by a chat, a letter, a social network.",
        )
        outcome = forms.ChoiceField(label="what came of it", choices=Note.Outcome.choices)
        body = forms.CharField(
            label="what was said", max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3})
        )
        at = when.Moment(label="when")
        again = when.Day(
            label="call again on", required=False, help_text="Makes you a task for 9:00 that day."
        )

    def initial(self, user: Any, now: datetime) -> dict[str, Any]:
        return {"at": when.local(now)}

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        if not when.has_been(said["at"], now):
            raise CannotAct("This call has not been made yet: make a task of it instead.")
        with transaction.atomic():
            desk.write_note(
                contact_id,
                said["body"],
                now,
                by=user.get_username(),
                kind=said["kind"],
                outcome=said["outcome"],
                at=min(said["at"], now),
            )
            if said["again"]:
                contact = Contact.objects.get(pk=contact_id)
                due_at = when.begins(said["again"], MORNING)
                desk.make_task(contact_id, f"Call {contact} again", user, now, due_at=due_at)
        return "It is on the timeline." if not said["again"] else "It is on the timeline, and a task is made."
