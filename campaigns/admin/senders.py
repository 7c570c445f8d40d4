"""Senders: the people messages come from."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from campaigns.admin.images import CHOOSER, choosable
from campaigns.models import Sender
from crm.kernel.backoffice import ModelAdmin, WebAddress


class SenderForm(forms.ModelForm):
    """Asks for what every message needs; the first sender is the default without being asked."""

    class Meta:
        model = Sender
        field_classes = {"image_url": WebAddress}
        fields = ["name", "email", "person", "role", "reply_to", "telephone", "image_url", "is_default"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "image_url" in self.fields:
            choosable(self.fields["image_url"])

    def clean_name(self) -> str:
        return _one_line(self.cleaned_data["name"])

    def clean_person(self) -> str:
        return _one_line(self.cleaned_data["person"])


@admin.register(Sender)
class SenderAdmin(ModelAdmin):
    form = SenderForm
    list_display = ["name", "email", "person", "reply_to", "telephone", "is_default"]
    sortable_by = ["name"]
    ordering = ["name"]
    fieldsets = [
        ("As it stands in the mailbox", {"fields": ["name", "email"]}),
        (
            "The person behind it",
            {
                "description": "People answer people: the name, the picture and a telephone number stand in "
                "the message.",
                "fields": ["person", "role", "reply_to", "telephone", "image_url"],
            },
        ),
        (None, {"fields": ["is_default"]}),
    ]

    class Media:
        js = [CHOOSER]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        first = not Sender.objects.filter(is_default=True).exists()
        return super().get_changeform_initial_data(request) | {"is_default": first}

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Sender, form: Any, change: bool) -> None:
        if obj.is_default:
            Sender.objects.exclude(pk=obj.pk).filter(is_default=True).update(is_default=False)
        super().save_model(request, obj, form, change)


def _one_line(text: str) -> str:
    if any(not letter.isprintable() for letter in text):
        raise forms.ValidationError("Only letters, digits and signs, on one line.")
    return text
