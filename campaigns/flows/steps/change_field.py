"""Change what is known of a person: their language, country, time zone, or a field of the shop's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from crm.models import Contact, OwnField
from crm.people import changes, own_fields
from crm.shop.settings import shop_zone

OWN = "own:"
TODAY = "today"
_OF_EVERYBODY = {"language": "Language", "country": "Country", "time_zone": "Time zone"}


def _changeable() -> list[tuple[str, Any]]:
    own = [(f"{OWN}{key}", label) for key, label in OwnField.objects.values_list("key", "label")]
    return [*_OF_EVERYBODY.items(), ("Own fields", own)] if own else list(_OF_EVERYBODY.items())


def _language(typed: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?", typed):
        raise own_fields.Unfit("write the code of a language, such as en or pt-BR")
    return typed


def _country(typed: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", typed):
        raise own_fields.Unfit("write the two letters of a country, such as DE")
    return typed.upper()


def _time_zone(typed: str) -> str:
    if typed not in available_timezones():
        raise own_fields.Unfit("write a time zone such as Europe/Berlin")
    return typed


_READERS = {"language": _language, "country": _country, "time_zone": _time_zone}


@steps.register
class ChangeField(Step):
    """Sets one thing that is known of the person: their language, country, time zone, or a field of the
    shop's own. Blank takes the answer away; a date may be *today*, the day on which they come here.

    What it was before stays in their history, so that rules about the past stay exact.
    """

    key = "campaigns.change_field"
    label = "Change a field"
    group = acting.CHANGE
    icon = "edit"

    class Params(forms.Form):
        field = forms.ChoiceField(label="what", choices=_changeable)
        value = forms.CharField(
            label="becomes",
            max_length=own_fields.LONGEST,
            required=False,
            help_text="Blank: no answer any more. A date such as 2026-11-23, or today.",
        )

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            if {"field", "value"} <= cleaned.keys():
                cleaned["own"] = _own(cleaned["field"])
                try:
                    cleaned["new"] = _new(cleaned["field"], cleaned["own"], cleaned["value"].strip())
                except own_fields.Unfit as unfit:
                    self.add_error("value", str(unfit))
            return cleaned

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people = acting.whom(batch)
        own, new = batch.params["own"], batch.params["new"]
        if _is_today(batch.params):
            new = batch.now.astimezone(shop_zone()).date().isoformat()

        def answer(contact: Contact) -> Mapping[str, Any]:
            if own is None:
                return {batch.params["field"]: new}
            kept = {key: value for key, value in contact.fields.items() if key != own.key}
            return {"fields": kept if new is None else kept | {own.key: new}}

        changed = changes.change(
            {person.contact_id for person in people}, answer, batch.now, actor=acting.actor(batch)
        )
        words = _words(batch.params, new)
        for person in people:
            acting.did(batch, person, f"{words}.", changed=person.contact_id in changed)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return _words(params, params["new"])


def _own(field: str) -> OwnField | None:
    return OwnField.objects.get(key=field.removeprefix(OWN)) if field.startswith(OWN) else None


def _new(field: str, own: OwnField | None, typed: str) -> Any:
    """The value as it is kept; nothing is no answer of an own field, and blank of the others."""
    if own is None:
        return _READERS[field](typed) if typed else ""
    if own.type == OwnField.Type.DATE and typed.casefold() == TODAY:
        return TODAY
    return own_fields.read(own, typed)


def _is_today(params: Mapping[str, Any]) -> bool:
    own = params["own"]
    return own is not None and own.type == OwnField.Type.DATE and params["new"] == TODAY


def _words(params: Mapping[str, Any], new: Any) -> str:
    own = params["own"]
    label = own.label if own else _OF_EVERYBODY[params["field"]]
    if new in (None, ""):
        return f"Clear {label}"
    told = new if own is None or new == TODAY else own_fields.told(own, new)
    return f"Set {label} to {told}"
