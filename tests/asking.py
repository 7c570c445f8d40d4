"""Rules made of any condition there is, filled in as somebody (or something) might fill them in."""

from typing import Any

from django import forms

from crm.kernel.rules import Condition


def filled(condition: Condition, text: str = "shoes", **told: Any) -> dict[str, Any]:
    """Stored parameters of a condition: its initial values, the first choice, `text` wherever text fits."""
    params: dict[str, Any] = condition.blank()
    for name, field in condition.Params().fields.items():
        if name in told:
            params[name] = told[name]
        elif isinstance(field, forms.MultipleChoiceField | forms.TypedMultipleChoiceField):
            params[name] = [str(value) for value in _values(field)[:1]]
        elif isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
            params.setdefault(name, next((str(value) for value in _values(field) if value), ""))
        elif isinstance(field, forms.IntegerField | forms.DecimalField | forms.FloatField):
            if field.required:
                params.setdefault(name, str(max(getattr(field, "min_value", None) or 1, 1)))
        elif isinstance(field, forms.DateField):
            if field.required:
                params[name] = "2026-01-05"
        elif isinstance(field, forms.TimeField):
            params.setdefault(name, "08:00")
        elif isinstance(field, forms.BooleanField):
            continue
        else:
            params[name] = text
    return {name: value for name, value in params.items() if value not in ("", [], None)}


def _values(field: Any) -> list[Any]:
    found: list[Any] = []
    for value, label in field.choices:
        if isinstance(label, list | tuple):
            found += [inner for inner, _label in label]
        else:
            found.append(getattr(value, "value", value))
    return [value for value in found if value not in ("", None)]


def leaf(condition: Condition, text: str = "shoes", **told: Any) -> dict[str, Any]:
    return {"kind": condition.key, "params": filled(condition, text, **told)}
