"""The forms of a template: made of blocks, or written as MJML."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.template.loader import render_to_string

from campaigns.admin import block_rows
from campaigns.admin.images import CHOOSER
from campaigns.messages import branding, checking, editing, saved
from campaigns.messages.look import Look
from campaigns.models import Template, TemplateVersion
from crm.kernel.backoffice import dress

LINES = ("subject", "preheader")
PARTS = (*LINES, "mjml", "text")
Mode = TemplateVersion.Mode


def look() -> Look:
    """What the shop's messages look like."""
    return branding.this_look()


class BlocksWidget(forms.Widget):
    """The blocks of a message, each folded open to its own fields; works without a script, too."""

    class Media:
        js = [CHOOSER, "rekindle/blocks.js"]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        rows = block_rows.rows_of(block_rows.STARTER) if value is None else value
        context = {
            "rows": rows,
            "menu": block_rows.menu(),
            "saved": saved.saved_blocks(),
            "act": block_rows.ACT,
        }
        return render_to_string("campaigns/blocks.html", context)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return block_rows.posted(data)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""


class BlocksField(forms.Field):
    """Rows of blocks; what is wrong with them the whole form finds out."""

    widget = BlocksWidget
    shown: list[block_rows.Row] | None = None
    """The rows with what is wrong with each, once that is known."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data if self.shown is None else self.shown

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [row.stored for row in initial or ()] != [row.stored for row in data or ()]


class Written(forms.CharField):
    """What was typed, with the line ends that the compiler knows; browsers send others."""

    def to_python(self, value: Any) -> Any:
        return block_rows.one_kind_of_lines(super().to_python(value) or "")


class _Lines(forms.ModelForm):
    """What every template has: a name, a subject and the line after it."""

    subject = forms.CharField(
        max_length=300,
        help_text="It may speak of the person, such as {{ contact.first_name | default: 'there' }}: see"
        " Variables and Subject lines below.",
        widget=forms.TextInput(attrs={"data-speaks": "", "data-count": "40"}),
    )
    preheader = forms.CharField(
        max_length=300,
        required=False,
        help_text=TemplateVersion._meta.get_field("preheader").help_text,
        widget=forms.TextInput(attrs={"data-speaks": "", "data-count": "80"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version = self.instance.current if self.instance.pk else None
        for name in LINES:
            if self.version:
                self.fields[name].initial = getattr(self.version, name)
        dress(self, LINES)

    def is_valid(self) -> bool:
        """Pressing a button of a block changes the page and saves nothing."""
        return not self.is_only_shown and super().is_valid()

    @property
    def errors(self) -> Any:
        return forms.utils.ErrorDict() if self.is_only_shown else super().errors

    @property
    def is_only_shown(self) -> bool:
        return bool(self.is_bound and self.data.get(block_rows.ACT))


class BlocksForm(_Lines):
    """A template made of blocks."""

    blocks = BlocksField(label="Message", required=False)

    class Meta:
        model = Template
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.version:
            self.fields["blocks"].initial = block_rows.rows_of(self.version.blocks)

    def clean(self) -> dict[str, Any]:
        """Mistakes stand beside their block and field, and nothing typed is lost."""
        cleaned = super().clean() or self.cleaned_data
        rows = cleaned["blocks"]
        blocks = [row.stored for row in rows]
        lines = {name: cleaned.get(name, "") for name in LINES}
        mistakes = checking.problems(**lines, blocks=blocks, look=look())
        block_rows.with_mistakes(rows, mistakes)
        cast(BlocksField, self.fields["blocks"]).shown = rows
        for mistake in mistakes:
            words = checking.in_words(mistake, blocks)
            is_line = mistake.field in LINES and mistake.block is None
            said = f"Line {mistake.line}: {mistake.message}" if is_line else words
            self.add_error(mistake.field if is_line else None, said)
        return cleaned

    def parts(self) -> dict[str, Any]:
        """What a version is made of."""
        rows = self.cleaned_data["blocks"]
        return {
            **{name: self.cleaned_data[name] for name in LINES},
            "blocks": [row.stored for row in rows],
            "look": look(),
        }


class SourceForm(_Lines):
    """A template written as MJML, or drawn on its page."""

    mjml = Written(
        label="Message (MJML with Liquid)",
        widget=forms.Textarea(
            attrs={"rows": 26, "class": "rk-code", "spellcheck": "false", "data-speaks": ""}
        ),
    )
    text = Written(
        label="Plain text",
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 10, "class": "rk-code", "spellcheck": "false", "data-speaks": ""}
        ),
        help_text="Blank: made from the message.",
    )

    class Meta:
        model = Template
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.version:
            for name in ("mjml", "text"):
                self.fields[name].initial = getattr(self.version, name)
        dress(self, ("mjml", "text"))

    def clean(self) -> dict[str, Any]:
        """Mistakes are named with their field and line, and nothing typed is lost."""
        cleaned = super().clean() or self.cleaned_data
        if not any(name in self.errors for name in PARTS):
            for mistake in editing.problems(**{name: cleaned.get(name, "") for name in PARTS}):
                self.add_error(mistake.field, f"Line {mistake.line}: {mistake.message}")
        return cleaned

    def parts(self) -> dict[str, Any]:
        """What a version is made of."""
        drawn = self.version is not None and self.version.mode == Mode.VISUAL
        return {
            **{name: self.cleaned_data[name] for name in PARTS},
            "mode": Mode.VISUAL if drawn else Mode.SOURCE,
        }
