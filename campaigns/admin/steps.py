"""The form of one step: what its kind asks, which message and offer, for whom, and how late is too late."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from campaigns.admin import variant_rows
from campaigns.admin.lengths import LengthField
from campaigns.flows.kinds import Step as StepKind
from campaigns.flows.kinds import steps
from campaigns.flows.outline import paths_of
from campaigns.flows.variants import Wanted
from campaigns.models import Step
from crm.kernel import rules
from crm.kernel.backoffice import dress

PREFIX = "with"
FOR_WHOM = ("path", "only_if", "expires_after")


class StepForm(forms.ModelForm):
    """One step of a kind that is known. What the kind asks is a form of its own, `params`."""

    path = forms.ChoiceField(
        label="for people on the path",
        required=False,
        help_text="Paths come from steps above that part people, such as a branch.",
    )
    variants = variant_rows.VariantsField(
        label="messages compared",
        required=False,
        help_text="Each person gets one of them, always the same. “Results” counts what each did.",
    )
    expires_after = LengthField(
        label="too late after",
        required=False,
        help_text="Whoever could not be written to by then (night, a limit, a pause) is passed over. Blank: "
        "as the campaign’s settings say.",
    )

    class Meta:
        model = Step
        fields = ["template", "variants", "offer", "path", "only_if", "expires_after"]
        labels = {"template": "message", "only_if": "only for people of whom this is true"}
        help_texts = {"only_if": "Others pass this step by and go on. Empty: everyone."}

    def __init__(self, kind: StepKind, rows: Sequence[Step], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        if not kind.has_template:
            for name in ("template", "variants", "expires_after"):
                del self.fields[name]
        if not kind.has_offer:
            del self.fields["offer"]
        for name, words in (("template", "Choose a message"), ("offer", "No offer")):
            if name in self.fields:
                self.fields[name].empty_label = words  # type: ignore[attr-defined]
        if "variants" in self.fields:
            self.initial["variants"] = variant_rows.initial(self.instance) if self.instance.pk else []
        self.fields["path"].choices = _paths(rows, self.instance)  # type: ignore[attr-defined]
        if self.is_bound:
            self.params = kind.form(data=self.data, prefix=PREFIX)
        else:
            self.params = kind.form(self.instance.params or {}, prefix=PREFIX)
        dress(self, set(self.fields) - {"only_if", "variants"})
        dress(self.params, {name for name, field in self.params.fields.items() if _is_plain(field)})

    @property
    def asked(self) -> list[tuple[bool, list[forms.BoundField]]]:
        """What the kind asks, and its message and offer, in groups. A group that is set aside holds the
        second and further of numbered fields (rule_2, path_2) where nothing of that number is filled in, and
        blank ones that few fill in.
        """
        own = [field for field in self.visible_fields() if field.name not in FOR_WHOM]
        numbered = [(field, _number_of(field.name)) for field in self.params.visible_fields()]
        used = {number for field, number in numbered if not _is_blank(field)}
        groups: list[tuple[bool, list[forms.BoundField]]] = [(False, own)]
        for field, number in numbered:
            few = field.name in self.kind.aside and _is_blank(field)
            aside = few or (number > 1 and number not in used)
            if groups[-1][0] != aside:
                groups.append((aside, []))
            groups[-1][1].append(field)
        return groups

    @property
    def for_whom(self) -> list[forms.BoundField]:
        """For whom the step is and how long, which most steps leave alone."""
        return [self[name] for name in FOR_WHOM if name in self.fields]

    @property
    def narrows(self) -> bool:
        """Whether something of that is filled in or wrong, so that it must be seen."""
        return not all(_is_blank(field) for field in self.for_whom)

    def is_valid(self) -> bool:
        return bool(super().is_valid() & self.params.is_valid())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("variants"):
            cleaned["template"] = None
        return cleaned

    def wanted(self) -> tuple[Step, list[Wanted]]:
        """The step as it was filled in, not kept yet, and the messages it compares."""
        self.instance.params = self.kind.typed(self.data, prefix=PREFIX)
        return self.instance, self.cleaned_data.get("variants") or []


def form_of(row: Step, rows: Sequence[Step], data: Any = None) -> StepForm | None:
    """The form of a step among the steps of its version; none where no program knows its kind."""
    if row.kind not in steps:
        return None
    return StepForm(steps.get(row.kind), rows, data=data, instance=row)


def _paths(rows: Sequence[Step], row: Step) -> list[tuple[str, str]]:
    above: list[str] = []
    for other in rows:
        if other.key == row.key:
            break
        above += paths_of(other)
    names = dict.fromkeys([*above, *([row.path] if row.path else [])])
    return [("", "everyone"), *((name, name) for name in names)]


def _number_of(name: str) -> int:
    found = re.search(r"_(\d+)$", name)
    return int(found.group(1)) if found else 0


def _is_blank(field: forms.BoundField) -> bool:
    """Whether nothing is filled in, and nothing wrong."""
    value = field.value()
    if isinstance(value, list):
        value = value[0] if value else ""  # the number of a length; its unit alone says nothing
    blank = rules.is_blank(value) if isinstance(value, dict) else value in (None, "")
    return blank and not field.errors


def _is_plain(field: forms.Field) -> bool:
    """Whether a field has a widget of the browser's own; a rule brings its rows."""
    return field.widget.__class__.__module__.startswith("django.forms")
