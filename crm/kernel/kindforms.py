"""One way to edit a kind in a form: a menu of kinds, and of the chosen one only the fields it needs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from django import forms

from crm.kernel.backoffice import dress
from crm.kernel.kinds import Kind, Registry, UnknownKind

type Belongs = Callable[[Any], bool]


def fields_of(kind_field: str, registry: Registry[Any]) -> list[str]:
    """The names of the form fields that stand for the parameters of every kind of the registry."""
    return [_name(kind_field, kind, name) for kind in registry for name in kind.Params.base_fields]


def kind_form(
    base: type[forms.ModelForm[Any]],
    kind_field: str,
    params_field: str,
    registry: Registry[Any],
    only_for: Mapping[str, Belongs] | None = None,
) -> type[forms.ModelForm[Any]]:
    """A model form whose `kind_field` is a menu of the registry and whose parameters are fields of their own.

    Every kind's fields are in the page; `rekindle/kinds.js` shows those of the chosen kind. What a field
    says about a wrong value stands beside that field, in the kind's own words. `only_for` names fields of
    the model that only some kinds need.
    """
    declared: dict[str, Any] = {
        kind_field: forms.ChoiceField(
            choices=registry.choices,
            widget=forms.Select(attrs={"data-kind-menu": kind_field}),
            label=kind_field.capitalize(),
        )
    }
    for kind in registry:
        for name, field in kind.Params.base_fields.items():
            declared[_name(kind_field, kind, name)] = _optional(name, field, kind_field, kind)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super(made, self).__init__(*args, **kwargs)
        own = set(declared) & set(self.fields)
        _fill_in(self, kind_field, params_field, registry)
        dress(self, own)
        for name, belongs in (only_for or {}).items():
            if name in self.fields:
                keys = " ".join(kind.key for kind in registry if belongs(kind))
                widget = self.fields[name].widget
                # The admin wraps menus of related rows in its buttons for adding one.
                getattr(widget, "widget", widget).attrs |= {"data-kind-of": kind_field, "data-kinds": keys}

    def clean(self: Any) -> dict[str, Any]:
        cleaned = super(made, self).clean() or self.cleaned_data
        # What stands in the fields of kinds that were not chosen is nobody's business.
        for name in fields_of(kind_field, registry):
            self._errors.pop(name, None)
        if key := cleaned.get(kind_field):
            _read(self, kind_field, params_field, registry, key)
        return cleaned

    made: Any = type(base.__name__, (base,), declared | {"__init__": __init__, "clean": clean})
    return made


def _optional(name: str, field: forms.Field, kind_field: str, kind: Kind) -> forms.Field:
    made = copy.deepcopy(field)
    made.required = made.widget.is_required = False
    label = str(made.label or name.replace("_", " "))
    made.label = label[:1].upper() + label[1:]
    made.widget.attrs |= {"data-kind-of": kind_field, "data-kinds": kind.key}
    return made


def _fill_in(form: Any, kind_field: str, params_field: str, registry: Registry[Any]) -> None:
    """The stored parameters of the chosen kind, and what every other kind begins with."""
    chosen = getattr(form.instance, kind_field)
    params = getattr(form.instance, params_field) or {}
    for kind in registry:
        blank = kind.blank()
        for name in kind.Params.base_fields:
            field = form.fields.get(_name(kind_field, kind, name))
            if field is not None:
                field.initial = params.get(name) if kind.key == chosen and params else blank.get(name)


def _read(form: Any, kind_field: str, params_field: str, registry: Registry[Any], key: str) -> None:
    try:
        kind = registry.get(key)
    except UnknownKind as unknown:
        form.add_error(kind_field, str(unknown))
        return
    prefix = form.add_prefix(_prefix(kind_field, kind))
    asked = kind.form(data=form.data, prefix=prefix)
    if asked.is_valid():
        setattr(form.instance, params_field, kind.typed(form.data, prefix=prefix))
        return
    for name, errors in asked.errors.items():
        field = _name(kind_field, kind, name)
        for error in errors:
            form.add_error(field if field in form.fields else kind_field, str(error))


def _prefix(kind_field: str, kind: Kind) -> str:
    return f"{kind_field}--{kind.key.replace('.', '-')}"


def _name(kind_field: str, kind: Kind, name: str) -> str:
    return f"{_prefix(kind_field, kind)}-{name}"
