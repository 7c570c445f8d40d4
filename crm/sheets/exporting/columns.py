"""Which columns a list of the admin has: those it shows, those of its pages, and what it adds by itself.

Nothing leaves that the person could not look at: no bytes, no passwords, no JSON of the program's own.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.utils import flatten_fieldsets, label_for_field, lookup_field
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.html import strip_tags

from crm.kernel.columns import Column
from crm.models import Contact

_PLAIN = (
    models.CharField, models.TextField, models.IntegerField, models.DecimalField, models.FloatField,
    models.BooleanField, models.DateField, models.UUIDField, models.DurationField, models.ForeignKey,
    ArrayField,
)  # fmt: skip
_NEVER = {"password"}


def columns_of(admin: Any, request: HttpRequest) -> dict[str, Column]:
    """By key, those the list shows first. A column the list adds stands in place of the one of its key."""
    added = {column.key: column for column in admin.export_columns(request)}
    found: dict[str, Column] = {}
    taken: set[str] = set()
    for column in (*_listed(admin, request), *_on_pages(admin, request), *added.values()):
        column = added.get(column.key, column)
        label = column.label.casefold()
        if column.key not in found and label and label not in taken:
            found[column.key] = column
            taken.add(label)
    return found


def _listed(admin: Any, request: HttpRequest) -> Iterator[Column]:
    fields: dict[str, Any] = {_name(field).casefold(): field for field in _fields(admin.model)}
    for name in admin.get_list_display(request):
        label = str(label_for_field(name, admin.model, admin))
        field = _field(admin.model, name) or fields.get(label.casefold())
        if field is not None:
            yield _of_field(field, is_chosen=True)
        elif hasattr(admin, str(name)) or _field(admin.model, name, any_kind=True) is None:
            yield Column(str(name), _heading(label), _shown(admin, name), is_chosen=True)


def _on_pages(admin: Any, request: HttpRequest) -> Iterator[Column]:
    page = admin.get_fieldsets(request, admin.model())
    named = [*flatten_fieldsets(page), admin.model._meta.pk.name]
    for field in filter(None, (_field(admin.model, name) for name in named)):
        yield _of_field(field)
    for field in _fields(admin.model):
        if field.related_model is Contact is not admin.model and request.user.has_perm("crm.view_contact"):
            yield from _of_person(field)


def _of_person(field: Any) -> Iterator[Column]:
    """Whose row it is, and how to reach them."""
    yield _of_field(field)
    for name in ("email", "phone"):
        label = f"{_heading(_name(field))}: {_name(Contact._meta.get_field(name))}"
        yield Column(f"{field.name}.{name}", label, _through(field.name, name), (field.name,))


def _of_field(field: Any, *, is_chosen: bool = False) -> Column:
    needs = (field.name,) if field.is_relation else ()
    return Column(field.name, _heading(_name(field)), _value(field), needs, is_chosen)


def _value(field: Any) -> Callable[[Any], Any]:
    if field.choices:
        return lambda row: getattr(row, f"get_{field.name}_display")()
    return lambda row: getattr(row, field.name)


def _through(relation: str, name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(getattr(row, relation), name, None)


def _shown(admin: Any, name: Any) -> Callable[[Any], Any]:
    """What the list shows, without its dress."""

    def value(row: Any) -> Any:
        try:
            shown = lookup_field(name, row, admin)[2]
        except ObjectDoesNotExist:
            return None
        if isinstance(shown, tuple):
            shown = shown[-1]
        elif isinstance(shown, list):
            shown = shown[0] if shown else ""
        return html.unescape(strip_tags(shown)).strip() if isinstance(shown, str) else shown

    return value


def _fields(model: Any) -> list[Any]:
    return [field for field in model._meta.concrete_fields if _may_leave(field)]


def _field(model: Any, name: Any, *, any_kind: bool = False) -> Any:
    try:
        field = model._meta.get_field(name)
    except (FieldDoesNotExist, AttributeError):
        return None
    return field if any_kind or (getattr(field, "concrete", False) and _may_leave(field)) else None


def _may_leave(field: Any) -> bool:
    return isinstance(field, _PLAIN) and field.name not in _NEVER


def _heading(label: str) -> str:
    return label[:1].upper() + label[1:]


def _name(field: Any) -> str:
    return str(field.verbose_name)
