"""A length of time as people say it: a number and a unit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}
LONGEST = timedelta(days=3 * 366)


class LengthWidget(forms.MultiWidget):
    """Posted as `<name>_0`, the number, and `<name>_1`, the unit."""

    def __init__(self, attrs: Any = None) -> None:
        number = forms.TextInput(
            attrs={"inputmode": "decimal", "size": 6, "aria-label": "How long", "class": "rk-length"}
        )
        unit = forms.Select(
            choices=[(unit, unit) for unit in UNITS], attrs={"aria-label": "Unit", "class": "rk-length"}
        )
        super().__init__([number, unit], attrs)

    def decompress(self, value: timedelta | None) -> list[Any]:
        if value is None:
            return ["", "hours"]
        whole = (unit for unit in reversed(UNITS) if value % UNITS[unit] == timedelta(0))
        unit = next(whole, "minutes")
        return [f"{Decimal(str(value / UNITS[unit])).normalize():f}", unit]


class LengthField(forms.MultiValueField):
    """A `timedelta` of a second at least; nothing where no number was typed."""

    widget = LengthWidget

    def __init__(self, **kwargs: Any) -> None:
        number = forms.DecimalField(required=False, min_value=0, max_value=1_000_000)
        unit = forms.ChoiceField(choices=[(unit, unit) for unit in UNITS], required=False)
        super().__init__([number, unit], require_all_fields=False, **kwargs)

    def compress(self, values: list[Any]) -> timedelta | None:
        number, unit = values or (None, "")
        if number is None:
            return None
        length = float(number) * UNITS[unit or "hours"]
        if not timedelta(seconds=1) <= length <= LONGEST:
            raise ValidationError("It is longer than nothing and at most three years; blank for none.")
        return length


def said(length: timedelta) -> str:
    """3 hours, 1 day."""
    number, unit = LengthWidget().decompress(length)
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}"
