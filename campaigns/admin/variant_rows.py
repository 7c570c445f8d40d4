"""The rows of a step's form in which messages are set against each other."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString

from campaigns.flows import variants
from campaigns.flows.variants import Wanted
from campaigns.models import Step, Template

PARTS = ("label", "template", "weight")


class VariantsWidget(forms.Widget):
    """One row a message: `<name>-label`, `-template`, `-weight`, each as often as there are rows."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        columns = [
            data.getlist(f"{name}-{part}") if isinstance(data, MultiValueDict) else [] for part in PARTS
        ]
        rows = [dict(zip(PARTS, row, strict=True)) for row in zip(*columns, strict=False)]
        return [row for row in rows[: variants.MOST + 1] if any(row[part].strip() for part in PARTS)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(f"{name}-{part}" in data for part in PARTS)

    def id_for_label(self, id_: str) -> str:
        return ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = {
            "name": name,
            "rows": value or [],
            "templates": list(Template.objects.order_by("name").values_list("pk", "name")),
            "attrs": self.build_attrs(self.attrs, attrs),
            "heaviest": variants.HEAVIEST,
        }
        # Not through the form renderer: its engine does not look into the project's templates.
        return render_to_string("campaigns/variant_rows.html", context)


class VariantsField(forms.Field):
    """Two messages or more, or none: the list of `Wanted`."""

    widget = VariantsWidget

    def to_python(self, value: Any) -> list[Wanted]:
        rows = value or []
        if len(rows) > variants.MOST:
            raise ValidationError(f"At most {variants.MOST} messages can be compared in one step.")
        known = Template.objects.in_bulk(
            {
                int(row["template"])
                for row in rows
                if row["template"].isascii() and row["template"].isdecimal()
            }
        )
        return [self._read(row, known) for row in rows]

    def validate(self, value: Any) -> None:
        labels = [one.label.casefold() for one in value]
        if len(set(labels)) < len(labels):
            raise ValidationError("Two messages have the same name: results are told apart by it.")
        if len(value) == 1:
            raise ValidationError("One message is no comparison: add a second one, or take this row away.")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [tuple(row[part].strip() for part in PARTS) for row in data or []] != [
            tuple(row[part] for part in PARTS) for row in initial or []
        ]

    def _read(self, row: dict[str, str], known: dict[int, Template]) -> Wanted:
        label = " ".join(row["label"].split())
        if not label or len(label) > 40 or not label.isprintable():
            raise ValidationError("Give every message a short name, such as A or With alternatives.")
        chosen = row["template"]
        template = known.get(int(chosen)) if chosen.isascii() and chosen.isdecimal() else None
        if template is None:
            raise ValidationError(f"Choose the message of “{label}”, or take its row away.")
        weight = row["weight"].strip()
        if not (weight.isascii() and weight.isdecimal() and 1 <= int(weight) <= variants.HEAVIEST):
            raise ValidationError(
                f"The share of “{label}” is a whole number from 1 to {variants.HEAVIEST}, such as 50."
            )
        return Wanted(label, template, int(weight))


def initial(step: Step) -> list[dict[str, str]]:
    """The stored rows as they would have been typed."""
    return [
        {"label": row.label, "template": str(row.template_id), "weight": str(row.weight)}
        for row in step.variants.all()
    ]
