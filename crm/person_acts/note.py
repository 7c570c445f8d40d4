"""Write something down about a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from crm.kernel.person_acts import PersonAct, person_acts
from crm.people import desk


@person_acts.register
class WriteNote(PersonAct):
    """A note on the timeline, for colleagues alone: no message and no template ever shows it."""

    key = "crm.note"
    label = "Note"
    icon = "edit_note"
    button = "Keep the note"
    place = 10
    permission = "crm.add_note"

    class Params(forms.Form):
        body = forms.CharField(
            label="what to remember",
            max_length=5000,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="Colleagues read it on the timeline. The person never does.",
        )

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        desk.write_note(contact_id, said["body"], now, by=user.get_username())
        return "The note is on the timeline."
