"""A rule as a column: one JSON document with its validation, its form and its sentence."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from crm.kernel.rules.compiling import problems
from crm.kernel.rules.form import RuleFormField
from crm.kernel.rules.tree import is_blank


class RuleField(models.JSONField):
    """Where a model keeps a rule. `offers` names what of a scope it may ask: "entered_at", "subject:cart".

    A blank rule is kept as {}; what it means is for the owner to say, and `compile` takes it as nobody.
    """

    description = "A rule about people"

    def __init__(self, *args: Any, offers: tuple[str, ...] = (), **kwargs: Any) -> None:
        self.offers = frozenset(offers)
        kwargs.setdefault("default", dict)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        # Migrations see the plain column: they outlive this module, and rules change no schema.
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if is_blank(value):
            return
        found = problems(value, self.offers)
        if found:
            raise ValidationError([ValidationError(str(problem), code="rule") for problem in found])

    def formfield(self, **kwargs: Any) -> Any:
        # The admin's own widget for JSON is a text area: a rule brings its rows.
        kwargs.pop("widget", None)
        own = {"form_class": RuleFormField, "offers": self.offers, "show_hidden_initial": False}
        return super().formfield(**{**own, **kwargs})
