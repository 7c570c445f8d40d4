"""What is to be in a file: its columns and its format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from crm.kernel.backoffice import dress
from crm.kernel.columns import Column
from crm.models import Export


class ChoiceForm(forms.Form):
    """The columns there are, ticked as the last time, else those the list shows."""

    columns = forms.MultipleChoiceField(
        label="Columns",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one column."},
    )
    format = forms.ChoiceField(
        label="Format", choices=Export.Format.choices, initial=Export.Format.CSV, widget=forms.RadioSelect
    )

    def __init__(self, offered: Mapping[str, Column], last: Iterable[str], data: Any) -> None:
        again = [key for key in last if key in offered]
        usual = [column.key for column in offered.values() if column.is_chosen]
        super().__init__(data, initial={"columns": again or usual})
        self.fields["columns"].choices = [(one.key, one.label) for one in offered.values()]  # type: ignore[attr-defined]
        dress(self)
