"""Write down what one learned of a person: in a talk, on the phone, on their profile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction

from crm.kernel.person_acts import CannotAct, PersonAct, person_acts
from crm.models import Contact, Note, OwnField
from crm.people import changes, desk, own_fields, own_inputs


@person_acts.register
class WriteDownFacts(PersonAct):
    """An interview in words, with the answers of the shop's own fields: both stand on the timeline, and the
    answers are facts from then on, which rules and messages use.
    """

    key = "crm.learned"
    label = "Learned"
    icon = "lightbulb"
    button = "Keep what we learned"
    place = 15
    permission = "crm.change_contact"

    class Params(forms.Form):
        own: list[OwnField] = []
        kept: Mapping[str, Any] = {}

        body = forms.CharField(
            label="what we learned",
            max_length=5000,
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="In words, for colleagues. The answers below are kept as facts that rules can use.",
        )

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            answers = own_inputs.read_inputs(self, self.own, self.kept)
            news = {
                own: answers.get(own.key)
                for own in self.own
                if answers.get(own.key) != self.kept.get(own.key)
            }
            return cleaned | {"news": news}

    def filled_in(self, contact_id: UUID, user: Any, now: datetime, data: Any = None) -> forms.Form:
        contact = Contact.objects.get(pk=contact_id)
        own = list(OwnField.objects.all())
        asked = own_inputs.inputs(own, contact)
        form = type("Params", (self.Params,), asked | {"own": own, "kept": contact.fields})
        made: forms.Form = form(data, prefix=self.key.replace(".", "_"))
        return made

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        by = user.get_username()
        news: dict[OwnField, Any] = said["news"]
        if not news and not said["body"]:
            raise CannotAct("Write down what you learned, or give an answer.")
        learned = [
            f"{own.label}: {own_fields.told(own, new) or 'no answer any more'}" for own, new in news.items()
        ]
        with transaction.atomic():
            desk.write_note(
                contact_id,
                "\n".join(filter(None, [said["body"], " · ".join(learned)])),
                now,
                by=by,
                kind=Note.Kind.LEARNED,
            )
            changes.change(
                [contact_id], lambda contact: {"fields": _with(contact.fields, news)}, now, actor=by
            )
        return "It is on the timeline, and the facts are kept." if learned else "It is on the timeline."


def _with(kept: Mapping[str, Any], news: Mapping[OwnField, Any]) -> dict[str, Any]:
    told = {own.key: value for own, value in news.items()}
    return {key: value for key, value in {**kept, **told}.items() if value is not None}
