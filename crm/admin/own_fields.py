"""The shop's own fields: a page to say which there are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from crm.audience import uses
from crm.kernel import clock
from crm.kernel.backoffice import (
    ModelAdmin,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    display,
)
from crm.models import OwnField
from crm.people import own_fields
from crm.sheets.contacts import EXTERNAL_ID, TAKEN

MOST_ANSWERS = 200


class Answers(forms.CharField):
    """The answers to choose from, one a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = (" ".join(line.split())[: own_fields.LONGEST] for line in super().clean(value).splitlines())
        answers = {line.casefold(): line for line in lines if line}
        if len(answers) > MOST_ANSWERS:
            raise forms.ValidationError(
                f"There are more than {MOST_ANSWERS} answers: make it a text instead."
            )
        return list(answers.values())

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "").replace("\r\n", "\n")


class OwnFieldForm(forms.ModelForm):
    """What a field is called and what it holds. Blank key: made from the label."""

    key = forms.CharField(
        max_length=60,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What imports and templates call it, such as shoe_size; blank: made from the label. It"
        " stays for good.",
    )
    choices = Answers(
        label="Answers", required=False, help_text="For one of a list: its answers, one a line."
    )

    class Meta:
        model = OwnField
        fields = ["label", "key", "type", "choices", "help", "position"]
        labels = {"help": "Help text", "position": "Place"}
        help_texts = {
            "label": "What people read, and the heading of its column in a spreadsheet.",
            "help": "Stands below the field where it is filled in.",
            "position": "Smaller numbers come first.",
        }

    def clean_key(self) -> str:
        typed = (self.cleaned_data.get("key") or "").strip()
        return typed or own_fields.key_from(self.cleaned_data.get("label", ""))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        label, kind = cleaned.get("label", ""), cleaned.get("type") or self.instance.type
        if own_fields.spelled(label) in {*TAKEN, EXTERNAL_ID}:
            self.add_error("label", "This is what a column of every person is called: choose another word.")
        twin = OwnField.objects.exclude(pk=self.instance.pk).filter(
            Q(label__iexact=label) | Q(key__iexact=label)
        )
        if label and twin.exists():
            self.add_error("label", f"There is a field “{twin[0]}” already.")
        if kind == OwnField.Type.CHOICE and not cleaned.get("choices"):
            self.add_error("choices", "A list needs its answers, one a line.")
        if kind != OwnField.Type.CHOICE:
            cleaned["choices"] = []
        return cleaned


@admin.register(OwnField)
class OwnFieldAdmin(ModelAdmin):
    form = OwnFieldForm
    list_display = ["label", "key", "type", "answers", "position"]
    list_editable = ["position"]
    search_fields = ["label", "key"]
    sortable_by = ["label", "position"]
    ordering = ["position", "label"]

    def get_readonly_fields(self, request: HttpRequest, obj: OwnField | None = None) -> list[str]:
        # What is stored under the key, and typed so, would be orphaned by another.
        return ["key", "type"] if obj else []

    def save_model(self, request: HttpRequest, obj: OwnField, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Rules that ask for a field stand in the way of deleting it: they would mean nobody."""
        doomed = list(objs)
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        leaning = [
            f"{use.what.capitalize()} “{use.name}”, which asks for “{field}”"
            for field in doomed
            for use in uses.of_field(field)
        ]
        return deleted, counts, needed, [*protected, *leaning]

    @display(description="Answers")
    def answers(self, field: OwnField) -> str:
        if field.type != OwnField.Type.CHOICE:
            return ""
        shown = ", ".join(map(str, field.choices[:5]))
        return f"{shown} and {len(field.choices) - 5} more" if len(field.choices) > 5 else shown
