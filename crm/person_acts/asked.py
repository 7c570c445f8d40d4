"""Pass on what a person asks about their data."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from crm.conditions.words import day
from crm.kernel.person_acts import CannotAct, PersonAct, person_acts
from crm.kernel.requests import CannotDo, choices
from crm.models import PersonRequest
from crm.people import requests
from crm.person_acts import when


@person_acts.register
class PassOnRequest(PersonAct):
    """What they asked for on the phone or in a reply, for whoever answers requests within a month."""

    key = "crm.asked"
    label = "They asked for…"
    help = "A copy of their data, to be erased, corrected, left alone. Whoever answers such requests is told."
    icon = "contact_mail"
    button = "Pass it on"
    place = 70
    permission = "crm.add_personrequest"

    class Params(forms.Form):
        kind = forms.ChoiceField(label="they want", choices=choices)
        way = forms.ChoiceField(label="asked", choices=PersonRequest.Way.choices)
        at = when.Moment(label="when", help_text="The month begins then.")
        words = forms.CharField(
            label="what they wrote or said",
            max_length=2000,
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
        )

    def initial(self, user: Any, now: datetime) -> dict[str, Any]:
        return {"at": when.local(now), "way": PersonRequest.Way.PHONE}

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        if not when.has_been(said["at"], now):
            raise CannotAct("This day has not come yet: say when they asked.")
        try:
            made = requests.record(
                said["kind"],
                contact_id,
                now,
                user=user,
                received_at=min(said["at"], now),
                way=said["way"],
                words=said["words"],
            )
        except CannotDo as problem:
            raise CannotAct(str(problem)) from None
        return f"It is passed on. They get an answer by {day(made.due_at)}."
