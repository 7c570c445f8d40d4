"""Colleagues in flows: who looks after a person, and words for them in which the person's name may stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from liquid import BoundTemplate

from campaigns.flows.kinds import Batch, triggers
from campaigns.messages import liquid, variables
from campaigns.messages.liquid import BrokenTemplate, RenderFailed
from campaigns.models import Enrolment
from crm.models import Contact
from crm.shop.settings import shop_zone

OWNER, COLLEAGUE = "owner", "colleague"
_SPOKEN_OF = {"contact": variables.VARIABLES["contact"]}


def at_work() -> Any:
    """Everybody who works here, by name."""
    return get_user_model().objects.filter(is_active=True, is_staff=True).order_by("username")


def name_of(user: Any) -> str:
    return str(user.get_full_name() or user.get_username())


def menu() -> list[tuple[str, str]]:
    return [(str(user.pk), name_of(user)) for user in at_work()]


class Words(forms.CharField):
    """Words for a colleague; `{{ contact.first_name }}` and its like stand for the person."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = "May name the person: {{ contact.first_name | default: 'Somebody' }}."
        super().__init__(**({"help_text": help_text} | kwargs))

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        try:
            found = variables.problems(liquid.parse(typed, html=False), typed, _SPOKEN_OF)
        except BrokenTemplate as broken:
            found = list(broken.problems)
        if found:
            raise forms.ValidationError(str(found[0]))
        return typed


class ToWhom(forms.Form):
    """Whoever looks after the person, or one colleague by name."""

    who = forms.ChoiceField(
        label="who",
        choices=[(OWNER, "whoever looks after the person"), (COLLEAGUE, "one colleague")],
        initial=OWNER,
        help_text="Where nobody looks after the person: the owner of the campaign.",
    )
    colleague = forms.ChoiceField(
        label="which colleague", choices=lambda: [("", "—"), *menu()], required=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("who") == COLLEAGUE and not cleaned.get("colleague") and "colleague" in cleaned:
            self.add_error("colleague", "Choose who it is.")
        return cleaned


def in_words(params: Mapping[str, Any]) -> str:
    """To whom, as it stands in the sentence of a step."""
    if params["who"] == OWNER:
        return "whoever looks after them"
    return dict(menu()).get(params["colleague"], "a colleague")


class Told:
    """The people of a batch with whom to tell about each, in two queries."""

    def __init__(self, batch: Batch, people: Sequence[Enrolment]) -> None:
        self.batch = batch
        ids = {person.contact_id for person in people}
        self.contacts: dict[UUID, Contact] = Contact.objects.in_bulk(ids)
        wanted = {contact.owner_id for contact in self.contacts.values()} | {batch.campaign.owner_id}
        wanted |= {int(batch.params["colleague"])} if batch.params["colleague"] else set()
        users = get_user_model().objects.filter(Q(pk__in=wanted - {None}), is_active=True)
        self._users = {user.pk: user for user in users}
        trigger = triggers.get(batch.campaign.trigger)
        self._why = trigger.sentence(trigger.read(batch.campaign.trigger_params))
        self._zone = shop_zone()
        self._parsed: dict[str, BoundTemplate] = {}

    def who(self, person: Enrolment) -> Any:
        """The colleague to tell; nobody where there is none who works here."""
        params = self.batch.params
        if params["who"] == COLLEAGUE:
            return self._users.get(int(params["colleague"]))
        contact, campaign = self.contacts[person.contact_id], self.batch.campaign
        found = (self._users.get(pk) for pk in (contact.owner_id, campaign.owner_id) if pk)
        return next((user for user in found if user), None)

    def words(self, template: str, person: Enrolment) -> str:
        """What was written, with the person's name in it; as it was written where that fails."""
        contact = self.contacts[person.contact_id]
        known = {name: getattr(contact, name) or None for name in ("first_name", "last_name", "email")}
        if template not in self._parsed:
            self._parsed[template] = liquid.parse(template, html=False)
        try:
            return liquid.render(self._parsed[template], {"contact": known}).strip()
        except RenderFailed:
            return template

    def reasons(self, person: Enrolment) -> str:
        """Why this person: the campaign, since when, and what let them in."""
        since = f"{person.entered_at.astimezone(self._zone):%-d %B %Y, %H:%M}"
        return f"In “{self.batch.campaign}” since {since}: {self._why}."
