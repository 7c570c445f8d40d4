"""Signs of life: what refers to rows that an import made, so that an undo leaves them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.apps import apps
from django.db.models import F, ManyToOneRel, Model

from crm.kernel.rules import AnyOf


def referred_to(model: type[Model], keys: Iterable[Any], but: Collection[str]) -> set[Any]:
    """Which of these rows a row of another table is about; those of tables in `but` do not count."""
    wanted, found = list(keys), set()
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ManyToOneRel):
            continue
        other, column = apps.get_model(relation.related_model._meta.label), f"{relation.field.name}_id"
        if other._meta.label not in but:
            rows = other._default_manager.filter(AnyOf(F(column), wanted))
            found |= set(rows.values_list(column, flat=True).distinct())
    return found
