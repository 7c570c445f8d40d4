"""Everything pluggable is a *kind*: a class with a permanent key, a label and a form of parameters.

Conditions, triggers, steps, channels, connectors and playbooks are kinds. What a user typed is stored as
typed and read back through the same form, so that a reference to a deleted row surfaces as broken and never
as a wrong answer.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django import forms
from django.apps import apps
from django.utils.module_loading import autodiscover_modules

_KEY = re.compile(r"[a-z_]+\.[a-z_0-9]+")
_LARGEST = 2**63 - 1


class UnknownKind(LookupError):
    """A key that no installed app knows: it was removed, or it was never a key."""


class BrokenParams(ValueError):
    """Parameters that their own form refuses, with the field and the reason."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


class Kind:
    """One way of doing something. Its docstring is its reference page: what it means and when to use it."""

    key = ""
    label = ""
    group = ""
    help = ""

    class Params(forms.Form):
        """What a user fills in."""

    def form(
        self, params: Mapping[str, Any] | None = None, *, data: Any = None, prefix: str | None = None
    ) -> forms.Form:
        """The form to show: empty, filled with stored parameters, or bound to what was posted."""
        if params is not None:
            data = self._as_data(params, prefix)
        return self.Params(data=data, prefix=prefix)

    def read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Stored parameters as values of their types. Raises BrokenParams, never guesses."""
        if not isinstance(params, Mapping):
            raise BrokenParams("", "parameters are a list of names and values")
        for name, value in params.items():
            field = self.Params.base_fields.get(name)
            if field is None:
                raise BrokenParams(str(name), "is not a parameter of this kind")
            # A rule is a document of its own, which its field reads to the last key.
            if not getattr(field, "takes_document", False):
                _refuse_strange(name, value)
        form = self.form(params)
        if not form.is_valid():
            wrong, errors = next(iter(form.errors.items()))
            raise BrokenParams("" if wrong == "__all__" else wrong, str(errors[0]))
        for name, value in form.cleaned_data.items():
            if isinstance(value, int) and abs(value) > _LARGEST:
                raise BrokenParams(name, "is too large a number")
        return form.cleaned_data

    def typed(self, data: Any, *, prefix: str | None = None) -> dict[str, Any]:
        """What a posted form says, as typed and ready to be stored; empty answers are left out."""
        form = self.Params(data=data, prefix=prefix)
        found = {}
        for name, field in form.fields.items():
            value = field.widget.value_from_datadict(form.data, form.files, form.add_prefix(name))
            if value not in (None, "", [], False):
                found[name] = value
        return found

    def blank(self) -> dict[str, Any]:
        """Parameters to begin with: the initial values of the form, as they would have been typed."""
        form = self.Params()
        found = {}
        for name, field in form.fields.items():
            value = field.prepare_value(form.get_initial_for_field(field, name))
            if value not in (None, "", [], False):
                found[name] = value if isinstance(value, bool | int | list) else str(value)
        return found

    def _as_data(self, params: Mapping[str, Any], prefix: str | None) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, value in params.items():
            full = f"{prefix}-{name}" if prefix else str(name)
            field = self.Params.base_fields.get(name)
            widget = getattr(field, "widget", None)
            if isinstance(widget, forms.MultiWidget) and isinstance(value, list):
                for suffix, part in zip(widget.widgets_names, value, strict=False):  # type: ignore[attr-defined]
                    data[full + suffix] = part
            else:
                data[full] = value
        return data


class Registry[K: Kind]:
    """The kinds of one sort, filled by modules that every app may have."""

    def __init__(self, base: type[K]) -> None:
        self.base = base
        self._kinds: dict[str, K] = {}
        _registries.add(self)

    def register[C: type[Kind]](self, kind: C) -> C:
        """Class decorator: make a kind known by its key."""
        self._kinds[self._checked(kind)] = kind()  # type: ignore[assignment]
        return kind

    def get(self, key: str) -> K:
        try:
            return self._kinds[key]
        except (KeyError, TypeError):
            raise UnknownKind(f"there is no {self.base.__name__.lower()} called {key!r}") from None

    def choices(self) -> list[tuple[str, Any]]:
        """For the `choices` of a field, as a callable: a new kind makes no migration."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for kind in self:
            groups.setdefault(kind.group, []).append((kind.key, kind.label))
        loose: list[tuple[str, Any]] = list(groups.pop("", []))
        return loose + list(groups.items())

    @contextmanager
    def temporarily(self, kind: type[K]) -> Iterator[K]:
        """Know a kind for the length of a test."""
        key = self._checked(kind)
        self._kinds[key] = kind()
        try:
            yield self._kinds[key]
        finally:
            del self._kinds[key]

    def __iter__(self) -> Iterator[K]:
        return iter(sorted(self._kinds.values(), key=lambda kind: (kind.group, kind.label, kind.key)))

    def __contains__(self, key: object) -> bool:
        return key in self._kinds

    def __len__(self) -> int:
        return len(self._kinds)

    def _checked(self, kind: type[Kind]) -> str:
        if not (isinstance(kind, type) and issubclass(kind, self.base)):
            raise TypeError(f"{kind!r} is not a {self.base.__name__}")
        if not _KEY.fullmatch(kind.key):
            raise ValueError(f"{kind.__name__} needs a key such as 'crm.bought', not {kind.key!r}")
        if kind.key in self._kinds:
            raise ValueError(f"the key {kind.key!r} is taken by {type(self._kinds[kind.key]).__name__}")
        return kind.key


_registries: weakref.WeakSet[Registry[Any]] = weakref.WeakSet()


def registries() -> list[Registry[Any]]:
    """Every registry there is, for the tests and the generated reference."""
    return sorted(_registries, key=lambda registry: registry.base.__name__)


def autodiscover(*modules: str) -> None:
    """Import these modules of every installed app; where one is a package, each file in it as well."""
    autodiscover_modules(*modules)
    for app in apps.get_app_configs():
        for name in modules:
            package = sys.modules.get(f"{app.name}.{name}")
            for found in pkgutil.iter_modules(getattr(package, "__path__", ())):
                importlib.import_module(f"{app.name}.{name}.{found.name}")


def _refuse_strange(name: str, value: Any) -> None:
    """A stored document can hold anything; a form expects what a browser can send."""
    for item in value if isinstance(value, list) else [value]:
        if not (item is None or isinstance(item, str | int | float)):
            raise BrokenParams(name, "is neither text, a number nor a list of them")
        if isinstance(item, float) and not math.isfinite(item):
            raise BrokenParams(name, "is not a finite number")
        if isinstance(item, str) and any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in item):
            raise BrokenParams(name, "holds characters that cannot be stored")
