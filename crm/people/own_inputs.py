"""The shop's own fields as inputs of a form about one person, and what was typed in them read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from crm.kernel.backoffice import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)
from crm.models import Contact, OwnField
from crm.people import own_fields

PREFIX = "own_"
_UNANSWERED = [("", "no answer"), ("yes", "yes"), ("no", "no")]


def inputs(fields: list[OwnField], contact: Contact | None) -> dict[str, forms.Field]:
    """A form field for each own field, typed by its type, filled with what the person has."""
    kept = contact.fields if contact is not None else {}
    return {PREFIX + field.key: _input(field, kept.get(field.key)) for field in fields}


def read_inputs(form: Any, fields: list[OwnField], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The person's answers as they will be kept, from a form that was filled in and those they had; what
    cannot be kept is said beside its input.

    Answers of fields that no longer exist stay where they are.
    """
    answers = dict(kept)
    for field in fields:
        name = PREFIX + field.key
        if name not in form.cleaned_data or name not in form.changed_data:
            continue
        try:
            value = own_fields.read(field, form.cleaned_data[name])
        except own_fields.Unfit as unfit:
            form.add_error(name, f"This {unfit}." if str(unfit).startswith(("is", "holds")) else f"{unfit}.")
            continue
        if value is None:
            answers.pop(field.key, None)
        else:
            answers[field.key] = value
    return answers


def _input(field: OwnField, value: Any) -> forms.Field:
    common: dict[str, Any] = {
        "label": field.label,
        "help_text": field.help,
        "required": False,
        "initial": own_fields.told(field, value),
    }
    if field.type == OwnField.Type.DATE:
        common["initial"] = value
        return forms.DateField(widget=UnfoldAdminSingleDateWidget, **common)
    if field.type == OwnField.Type.FLAG:
        return forms.ChoiceField(choices=_UNANSWERED, widget=UnfoldAdminSelectWidget, **common)
    if field.type == OwnField.Type.CHOICE:
        answers = [str(answer) for answer in field.choices]
        if value is not None and value not in answers:
            answers.append(str(value))  # An answer that was taken from the list later is still theirs.
        choices = [("", "no answer"), *((answer, answer) for answer in answers)]
        return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, **common)
    return forms.CharField(max_length=own_fields.LONGEST, widget=UnfoldAdminTextInputWidget, **common)
