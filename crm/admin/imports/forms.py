"""What is asked on the way in: the file, how it is read, what its columns are, what people agreed to."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest

from crm.kernel.backoffice import dress
from crm.models import Channel, Import, OwnField, Purpose
from crm.sheets.matching import Match
from crm.sheets.reading import ENCODINGS, Look
from crm.sheets.subjects import MAKES, Subject, subjects

LEAVE_OUT = [("", "– leave it out –")]
_MAKE = [
    (MAKES + OwnField.Type.TEXT, "A new field: text"),
    (MAKES + OwnField.Type.NUMBER, "A new field: number"),
    (MAKES + OwnField.Type.DATE, "A new field: date"),
    (MAKES + OwnField.Type.FLAG, "A new field: yes or no"),
]


def offered(request: HttpRequest) -> list[Subject]:
    """What this person may bring in."""
    return [one for one in subjects if not one.permission or request.user.has_perm(one.permission)]


class DropForm(forms.Form):
    """The first step: what it is, and the file."""

    subject = forms.ChoiceField(label="What its rows are")
    file = forms.FileField(
        label="The file",
        allow_empty_file=False,
        max_length=200,
        error_messages={"required": "Choose a file first.", "empty": "This file is empty."},
        help_text="CSV, TSV, XLSX, XLS or ODS, as another program saved it. Nothing comes in yet.",
    )

    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields["subject"].choices = [(one.key, one.label) for one in offered(request)]  # type: ignore[attr-defined]
        self.fields["file"].widget.attrs["accept"] = ".csv,.tsv,.txt,.xlsx,.xls,.ods"
        dress(self, ["subject"])


class ReadingForm(forms.Form):
    """How a file is to be read, where the guess was wrong."""

    sheet = forms.ChoiceField(label="Sheet", required=False)
    header_row = forms.IntegerField(
        label="Row of the headings", min_value=0, max_value=1000, help_text="0: there are none."
    )
    encoding = forms.ChoiceField(label="Letters are written as", required=False)
    delimiter = forms.ChoiceField(label="Between cells stands", required=False)

    DELIMITERS = ((",", "a comma"), (";", "a semicolon"), ("\t", "a tab"), ("|", "a bar"), (":", "a colon"))

    def __init__(self, look: Look, **kwargs: Any) -> None:
        seen = {"sheet": look.sheet, "header_row": look.header_row}
        super().__init__(initial=seen | {"encoding": look.encoding, "delimiter": look.delimiter}, **kwargs)
        encodings = {look.encoding: look.encoding.upper()} | ENCODINGS if look.encoding else {}
        delimiters = {look.delimiter: repr(look.delimiter)} | dict(self.DELIMITERS) if look.delimiter else {}
        choices = {
            "sheet": [(one, one) for one in look.sheets],
            "encoding": list(encodings.items()),
            "delimiter": list(delimiters.items()),
        }
        for name, offer in choices.items():
            self.fields[name].choices = offer  # type: ignore[attr-defined]
            if len(offer) < 2:
                del self.fields[name]
        dress(self)


class ColumnsForm(forms.Form):
    """What each column is. A target is given to one column only."""

    def __init__(self, subject: Subject, matches: list[Match], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.subject, self.matches = subject, matches
        targets = subject.targets()
        self.labels = {one.key: one.label for one in targets} | dict(_MAKE)
        groups: list[Any] = [*LEAVE_OUT, (subject.label, [(one.key, one.label) for one in targets])]
        if subject.takes_own_fields:
            plain = [(one.key, one.label) for one in targets if not one.key.startswith("own:")]
            own = [(one.key, one.label) for one in targets if one.key.startswith("own:")]
            groups = [*LEAVE_OUT, (subject.label, plain)]
            groups += [("Your own fields", own)] if own else []
            groups += [("Make a field of your own", _MAKE)]
        for one in matches:
            self.fields[f"column-{one.column}"] = forms.ChoiceField(
                choices=groups, required=False, initial=one.target, label=one.heading or "(no heading)"
            )
        dress(self)

    def rows(self) -> list[dict[str, Any]]:
        """Each column beside its field."""
        return [{"match": one, "field": self[f"column-{one.column}"]} for one in self.matches]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        taken: dict[str, str] = {}
        for one in self.matches:
            name = f"column-{one.column}"
            target = cleaned.get(name) or ""
            if not target or target.startswith(MAKES):
                continue
            if target in taken:
                self.add_error(
                    name,
                    f"“{taken[target]}” is the {self.labels[target].lower()} already: leave one of them out.",
                )
            taken.setdefault(target, one.heading)
        chosen = {target for target in cleaned.values() if isinstance(target, str)}
        if not self.errors and (lacks := self.subject.missing(chosen)):
            raise forms.ValidationError(lacks)
        return cleaned

    def mapping(self) -> dict[str, str]:
        """Column to target, as an import keeps it."""
        return {str(one.column): self.cleaned_data[f"column-{one.column}"] for one in self.matches}


class ConsentForm(forms.Form):
    """What is attested of consent. Without the tick, nothing of it comes in."""

    attested = forms.BooleanField(
        label="These people agreed to be written to, and I can prove it",
        required=False,
        help_text="Without it they come in all the same, and get nothing of marketing.",
    )
    purposes = forms.MultipleChoiceField(
        label="To what they agreed", required=False, widget=forms.CheckboxSelectMultiple
    )
    source = forms.CharField(
        label="Where",
        required=False,
        max_length=120,
        help_text="Such as https://shop.example/newsletter, or the fair in Cologne.",
    )
    form = forms.ChoiceField(
        label="How",
        required=False,
        choices=[
            ("", "Choose"),
            ("form with confirmation by e-mail", "a form, confirmed by e-mail"),
            ("form", "a form on a website"),
            ("checkout", "a box at the checkout"),
            ("paper", "on paper, signed"),
            ("another program", "in another program, which kept the proof"),
        ],
    )
    on = forms.DateField(
        label="When, at the latest",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="For rows without a date of their own.",
    )
    wording = forms.CharField(
        label="The words they agreed to",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Exactly as they stood beside the box. They are kept as the proof.",
    )

    NEEDED = {
        "purposes": "Say to what they agreed.",
        "source": "Say where they agreed: a page, a shop, an event.",
        "form": "Say how they agreed.",
        "on": "Say when they agreed, at the latest.",
        "wording": "The words they agreed to are needed: without them it is no proof.",
    }

    def __init__(self, today: date, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.today = today
        purposes = Purpose.objects.filter(
            kind=Purpose.Kind.MARKETING, is_active=True, channels__contains=[Channel.EMAIL]
        ).order_by("name")
        self.fields["purposes"].choices = [(one.key, one.name) for one in purposes]  # type: ignore[attr-defined]
        dress(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("attested"):
            for name, words in self.NEEDED.items():
                if name not in self.errors and not cleaned.get(name):
                    self.add_error(name, words)
            if (on := cleaned.get("on")) and on > self.today:
                self.add_error("on", "Nobody can have agreed after today.")
        return cleaned

    def told(self) -> dict[str, Any]:
        """What is attested, as an import keeps it; nothing without the tick."""
        if not self.cleaned_data["attested"]:
            return {}
        told = {name: self.cleaned_data[name] for name in ("purposes", "source", "form", "wording")}
        return told | {"on": self.cleaned_data["on"].isoformat()}


def initial_consent(run: Import) -> dict[str, Any]:
    """The form as it was attested the last time for this file."""
    return {"attested": True} | run.consent if run.consent else {}
