"""Which tables hold rows of people, by the column that says whose; and whose of them a colleague gets to see.

What narrows them knows users and groups, which the kernel does not: it registers itself here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

type Narrow = Callable[[QuerySet[Any], Any], QuerySet[Any]]

PERSON = "crm.contact"
_narrows: list[Narrow] = []


def narrows(function: Narrow) -> Narrow:
    """Register what leaves out the rows of people somebody does not see."""
    _narrows[:] = [function]
    return function


def narrowed(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """The rows this colleague gets to see; rows that are of nobody at all as they are."""
    if not columns(rows.model):
        return rows
    [narrow] = _narrows  # Without it nobody sees anybody.
    return narrow(rows, user)


def columns(model: Any) -> tuple[str, ...]:
    """The columns that say whose a row is: of a person their key, of most tables one, of a pair two."""
    return _columns(model._meta.label_lower)


@cache
def _columns(label: str) -> tuple[str, ...]:
    if label == PERSON:
        return ("pk",)
    fields = [field for field in apps.get_model(label)._meta.concrete_fields if _is_of_a_person(field)]
    return tuple(field.attname for field in fields)


def _is_of_a_person(field: Any) -> bool:
    if field.related_model is None:
        return bool(field.name == "contact_id")
    return bool(field.related_model._meta.label_lower == PERSON)
