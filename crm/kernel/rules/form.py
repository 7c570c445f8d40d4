"""A rule in a form: rows that a server renders and that work without a script; or the document itself."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string

from crm.kernel.rules import rows
from crm.kernel.rules.compiling import problems
from crm.kernel.rules.sentences import sentence
from crm.kernel.rules.tree import is_blank

_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")


class RuleWidget(forms.Widget):
    """Nested groups of conditions, each with the fields it needs. See `rows` for the names of the inputs.

    With a script every change is posted to one address (see `crm.admin.rule_builder`), which answers with
    these rows again and whom they mean; without one, rows are added and removed on saving.
    """

    offers: frozenset[str] = frozenset()

    class Media:
        js = ("rekindle/rules.js",)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        return drawn(
            name, rows.as_group(value), self.offers, id=self.build_attrs(self.attrs, attrs).get("id")
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if data.get(name):
            return data[name]
        return rows.Posted(name, data).document if f"{name}-op" in data else None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}-op" not in data

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""


def drawn(name: str, document: dict[str, Any], offers: frozenset[str], **more: Any) -> str:
    """The rows of a rule as HTML; `more` goes to the template."""
    root = rows.laid_out(name, document, offers)
    context = {
        "root": root,
        "ops": rows.OPS,
        "choices": rows.menu(offers),
        "new_group": rows.NEW_GROUP,
        "offers": " ".join(sorted(offers)),
        "sentence": "" if is_blank(document) else sentence(document),
    }
    # Not through the form renderer: its engine does not look into the project's templates.
    return render_to_string("crm/rule_widget.html", context | more)


def is_name(name: str) -> bool:
    """Whether it can be the name of a field in a form, so that it may stand in a page."""
    return bool(_NAME.fullmatch(name))


def known_offers(posted: str) -> frozenset[str]:
    """Of what a page says it offers to rules, that which some rule of ours is really offered.

    It decides what a person editing is told, never what is asked of the database: that is for the scope.
    """
    from crm.kernel.rules.field import RuleField

    offered = frozenset[str]()
    for model in apps.get_models():
        for column in model._meta.fields:
            offered |= column.offers if isinstance(column, RuleField) else frozenset()
    return offered & frozenset(posted.split())


class RuleFormField(forms.Field):
    """The form's side of a rule: a document that can be read, or the reasons why not."""

    widget = RuleWidget
    takes_document = True
    default_error_messages = {"json": "This is not a rule: it is not a JSON document."}

    def __init__(
        self, *, offers: frozenset[str] = frozenset(), encoder: Any = None, decoder: Any = None, **kwargs: Any
    ) -> None:
        self.offers = offers
        super().__init__(**kwargs)
        if isinstance(self.widget, RuleWidget):
            self.widget.offers = offers

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = json.loads(value, parse_constant=_refuse)
            except (ValueError, RecursionError):
                raise ValidationError(self.error_messages["json"], code="json") from None
        return {} if is_blank(value) else value

    def validate(self, value: Any) -> None:
        if not value:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return
        found = problems(value, self.offers)
        if found:
            raise ValidationError([ValidationError(str(problem), code="rule") for problem in found])

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return self.to_python(data)
        except ValidationError:
            return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != ({} if is_blank(initial) else initial)
        except ValidationError:
            return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no value")
