"""One sentence a condition, filled in as somebody might: by names of a small shop that is made for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db import transaction

from campaigns.models import Survey, SurveyChoice
from crm.kernel.kinds import BrokenParams
from crm.kernel.rules import Condition
from crm.models import LeadDefinition, OwnField, Product, Segment, Stage, Status

_THEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
_NAMES = {"Regulars", "Mia Lund", "Shoe size", "Birthday", "Hobby", "Member", "Colour"}
_NAMES |= {"Course leads", "Course leads: Interested", "What held you back?", "VIP"}
_TEXTS = {
    "contains": "Ana",
    "domains": "acme.example",
    "countries": ["DE", "AT"],
    "language": "de",
    "zones": ["Europe/Berlin"],
    "sources": ["fair"],
    "tag": "vip",
    "name": "Acme",
    "words": "sailing",
    "answers": "red",
    "category": "Headphones",
    "brand": "Aria",
    "product": "Over-ear",
    "day": "2026-03-02",
    "begins": "08:00",
    "ends": "20:00",
}


@contextmanager
def cast() -> Iterator[None]:
    """Rows for menus to offer, gone again afterwards."""
    with transaction.atomic():
        get_user_model().objects.create(username="mia", first_name="Mia", last_name="Lund", is_staff=True)
        Segment.objects.create(name="Regulars", refreshed_at=_THEN, created_at=_THEN)
        Product.objects.create(name="Over-ear", external_id="h1", created_at=_THEN, updated_at=_THEN)
        leads = LeadDefinition.objects.create(name="Course leads", created_at=_THEN)
        Stage.objects.create(definition=leads, name="Interested")
        Status.objects.create(key="vip", name="VIP", created_at=_THEN)
        asked = Survey.objects.create(slug="why_not", question="What held you back?", created_at=_THEN)
        SurveyChoice.objects.create(survey=asked, label="The price")
        for label, sort in _FIELDS:
            OwnField.objects.create(
                key=label.lower().replace(" ", "_"),
                label=label,
                type=sort,
                choices=["red", "blue"] if sort == OwnField.Type.CHOICE else [],
                created_at=_THEN,
            )
        yield
        transaction.set_rollback(True)


_FIELDS = [
    ("Shoe size", OwnField.Type.NUMBER),
    ("Birthday", OwnField.Type.DATE),
    ("Hobby", OwnField.Type.TEXT),
    ("Member", OwnField.Type.FLAG),
    ("Colour", OwnField.Type.CHOICE),
]


def sentence(condition: Condition) -> str:
    """What the condition would say, or nothing where no filling in makes sense."""
    optional = [name for name, field in condition.Params().fields.items() if not field.required]
    for more in [[], *([name] for name in optional), optional]:
        try:
            return condition.sentence(condition.read(_filled(condition, more)))
        except (BrokenParams, ValueError, ArithmeticError, LookupError):
            continue
    return ""


def _filled(condition: Condition, more: Sequence[str]) -> dict[str, Any]:
    params: dict[str, Any] = condition.blank()
    for name, field in condition.Params().fields.items():
        if name not in params and (field.required or name in more):
            params[name] = _value(name, field)
    return {name: value for name, value in params.items() if value not in ("", [], None)}


def _value(name: str, field: forms.Field) -> Any:
    if name in _TEXTS:
        return _TEXTS[name]
    if isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
        offered = list(_offered(field.choices))
        known = [value for value, label in offered if label in _NAMES]
        chosen = known[0] if known else next((value for value, _ in offered), "")
        return [chosen] if isinstance(field, forms.MultipleChoiceField) else chosen
    if isinstance(field, forms.IntegerField | forms.DecimalField | forms.FloatField):
        return str(max(getattr(field, "min_value", None) or 0, 7))
    if isinstance(field, forms.DateField):
        return _TEXTS["day"]
    if isinstance(field, forms.TimeField):
        return _TEXTS["begins"]
    return "" if isinstance(field, forms.BooleanField) else "spring"


def _offered(choices: Any) -> Iterator[tuple[str, str]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from _offered(label)
        elif value not in ("", None):
            yield str(getattr(value, "value", value)), str(label)
