"""Articles and guides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from campaigns.admin.images import CHOOSER, choosable
from campaigns.models import ContentItem
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, WebAddress, display
from crm.models import Product
from crm.shop import showing


class ContentForm(forms.ModelForm):
    """Categories and brands are chosen from those the catalogue has, and those it had when it was saved."""

    categories = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Shown to people who look at or buy in these. With no category and no brand: to everybody.",
    )
    brands = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ContentItem
        field_classes = {"url": WebAddress, "image_url": WebAddress}
        fields = [
            "title",
            "url",
            "image_url",
            "summary",
            "categories",
            "brands",
            "is_active",
            "published_at",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "image_url" in self.fields:
            choosable(self.fields["image_url"])
        for name, column in (("categories", "category"), ("brands", "brand")):
            known = set(Product.objects.exclude(**{column: ""}).values_list(column, flat=True).distinct())
            known |= set(getattr(self.instance, name) or [])
            self.fields[name].choices = [(one, one) for one in sorted(known)]  # type: ignore[attr-defined]


@admin.register(ContentItem)
class ContentAdmin(ModelAdmin):
    form = ContentForm
    list_display = ["picture", "title", "meant", "published_at", "is_active"]
    list_display_links = ["title"]
    list_filter = ["is_active"]
    search_fields = ["title", "summary"]
    search_help_text = "A part of the title or the summary."
    sortable_by = ["title", "published_at"]
    ordering = ["-published_at"]
    fieldsets = [
        (
            None,
            {
                "description": "Recommended beside products by the block “Articles and guides”.",
                "fields": ["title", "url", "image_url", "summary"],
            },
        ),
        ("Whom it is for", {"fields": ["categories", "brands"]}),
        ("When", {"fields": [("published_at", "is_active")]}),
    ]

    class Media:
        js = [CHOOSER]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"published_at": clock.now()} | super().get_changeform_initial_data(request)

    @display(description="")
    def picture(self, item: ContentItem) -> str:
        return showing.picture(item.image_url, item.title)

    @display(description="For people who care for")
    def meant(self, item: ContentItem) -> str:
        return ", ".join(map(str, [*item.categories, *item.brands])) or "everybody"
