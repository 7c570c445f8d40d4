"""Write to a person by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from campaigns.delivery import letters
from crm.kernel import ids
from crm.kernel.person_acts import CannotAct, PersonAct, person_acts


@person_acts.register
class WriteToThem(PersonAct):
    """One e-mail of one's own, through the same queue and the same last check as everything else. The answer
    goes to one's own address. Whoever wants nothing more from us is not written to by hand either.
    """

    key = "campaigns.write"
    label = "E-mail"
    help = "One e-mail of your own, in plain text. Their answer comes to your address."
    icon = "mail"
    button = "Send it"
    place = 12
    permission = "campaigns.add_letter"

    class Params(forms.Form):
        subject = forms.CharField(label="subject", max_length=200)
        text = forms.CharField(label="text", max_length=20_000, widget=forms.Textarea(attrs={"rows": 8}))
        once = forms.UUIDField(widget=forms.HiddenInput)

    def initial(self, user: Any, now: datetime) -> dict[str, Any]:
        return {"once": ids.uuid7()}

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        try:
            letters.write(said["once"], contact_id, user, said["subject"], said["text"], now)
        except letters.CannotWrite as problem:
            raise CannotAct(str(problem)) from None
        return "It leaves within a minute; the timeline says what becomes of it."
