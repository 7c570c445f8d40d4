"""What leans on a segment, or on an own field: rules and settings all over the program that name it.

A segment is named by its id, which is nothing else's: whatever document holds the text of the id uses it. An
own field is named by its key, as what a condition calls its field.
Each app registers where such documents are kept in a module called `uses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.urls import NoReverseMatch, reverse

from crm.kernel.kinds import Kind, Registry
from crm.models import OwnField, Segment


@dataclass(frozen=True)
class Use:
    """One thing that leans on the segment: "campaign", its name, where its page is."""

    what: str
    name: str
    url: str


class Place(Kind):
    """A model whose documents may name a segment, and the object a colleague would go to to change it."""

    model: type[Model]
    # Columns that hold JSON documents.
    documents: tuple[str, ...] = ()
    # The way from a row to what a colleague knows by name, such as "version__definition".
    owner = ""

    def naming(self, text: str) -> QuerySet[Any]:
        rows = self.model._default_manager.all()
        named = Q()
        for column in self.documents:
            rows = rows.alias(**{f"{column}_text": Cast(column, TextField())})
            named |= Q(**{f"{column}_text__contains": text})
        return rows.filter(named).select_related(*filter(None, [self.owner]))

    def uses(self, text: str, besides: Model | None = None) -> list[Use]:
        found = []
        for row in self.naming(text):
            known: Any = row
            for step in filter(None, self.owner.split("__")):
                known = getattr(known, step)
            if known != besides:
                found.append(Use(self.label, str(known), _page_of(known)))
        return found


places: Registry[Place] = Registry(Place)


def of(segment: Segment) -> list[Use]:
    """Everything that names the segment, each once: one query a place."""
    found = [use for place in places for use in place.uses(str(segment.pk), segment)]
    return list(dict.fromkeys(found))


def of_field(field: OwnField) -> list[Use]:
    """Everything with a condition on an own field, each once."""
    found = [use for place in places for use in place.uses(f'"field": "{field.key}"')]
    return list(dict.fromkeys(found))


def _page_of(row: Model) -> str:
    meta = row._meta
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""
