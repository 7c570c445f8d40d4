"""The shop's settings: the first-run page, and later the page to change them on."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from crm.kernel import clock
from crm.kernel.backoffice import (
    OneRowAdmin,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    WebAddress,
    display,
)
from crm.kernel.colours import HOW_WRITTEN
from crm.models import Segment, ShopSettings
from crm.shop.settings import this_shop


class Origins(forms.CharField):
    """Sites, one a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        origins = []
        for typed in super().clean(value).split():
            origin = typed.rstrip("/")
            parts = _split(origin)
            if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
                raise forms.ValidationError(f"“{typed}” is not a site. Write it like https://shop.example.")
            if parts.path or parts.query or parts.fragment or parts.username:
                raise forms.ValidationError(f"“{typed}”: only the site, without what follows its name.")
            origins.append(origin.lower())
        return list(dict.fromkeys(origins))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "").split() != (data or "").split()


class ShopForm(forms.ModelForm):
    """Asks what every message needs, and says which field is wrong and how to mend it."""

    time_zone = forms.CharField(
        widget=UnfoldAdminTextInputWidget(attrs={"list": "rk-zones"}),
        help_text="Such as Europe/Berlin. The admin shows times in it.",
    )
    allowed_origins = Origins(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Sites the script may report from, one a line, such as https://shop.example.",
    )

    class Meta:
        model = ShopSettings
        field_classes = {"url": WebAddress, "logo_url": WebAddress, "cart_restore_url": WebAddress}
        fields = [
            "name",
            "url",
            "currency",
            "time_zone",
            "logo_url",
            "colour",
            "postal_address",
            "telephone",
            "opening_hours",
            "allowed_origins",
            "cart_restore_url",
            "tracking_needs_consent",
        ]
        error_messages = {"colour": {"invalid": HOW_WRITTEN}}

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if not name or not name.isprintable():
            raise forms.ValidationError("What is the shop called? It stands in every message.")
        return name

    def clean_currency(self) -> str:
        return self.cleaned_data["currency"].upper()

    def clean_time_zone(self) -> str:
        zone = self.cleaned_data["time_zone"].strip()
        if zone not in available_timezones():
            raise forms.ValidationError("There is no such time zone. Write it like Europe/Berlin.")
        return zone

    def clean_postal_address(self) -> str:
        address = self.cleaned_data["postal_address"].strip()
        if not address:
            raise forms.ValidationError("Every marketing message must say where its sender is to be found.")
        return address


@admin.register(ShopSettings)
class ShopSettingsAdmin(OneRowAdmin):
    form = ShopForm
    change_form_outer_before_template = "crm/shop_intro.html"
    readonly_fields = ["script_tag"]
    fieldsets: Any = [
        (
            "Your shop",
            {"fields": [("name", "url"), ("currency", "time_zone"), ("logo_url", "colour")]},
        ),
        ("In every message", {"fields": ["postal_address", ("telephone", "opening_hours")]}),
        (
            "On the shop's pages",
            {
                "fields": [
                    "allowed_origins",
                    "script_tag",
                    "cart_restore_url",
                    "tracking_needs_consent",
                ],
                "description": "The script tells Rekindle what visitors look at and put into their carts. "
                "Paste its tag into every page of the shop.",
            },
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: ShopSettings | None = None) -> Any:
        """Logo and colour are asked at the first run; later they are chosen in the brand kit."""
        if obj is None or not obj.set_up_at:
            return self.fieldsets
        (name, first), *others = self.fieldsets
        shown = [row for row in first["fields"] if row != ("logo_url", "colour")]
        words = "Logo and colours of messages and public pages are chosen in the brand kit."
        return [(name, {"fields": shown, "description": words}), *others]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect(reverse("admin:crm_shopsettings_change", args=[this_shop().pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        zones = {"zones": sorted(available_timezones())}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | zones)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "postal_address" and field is not None:
            field.widget.attrs["rows"] = 4
        return field

    def save_model(self, request: HttpRequest, obj: ShopSettings, form: Any, change: bool) -> None:
        obj.ingest_key = obj.ingest_key or f"pk_{secrets.token_urlsafe(18)}"
        obj.set_up_at = obj.set_up_at or clock.now()
        super().save_model(request, obj, form, change)
        if "time_zone" in form.changed_data:
            # Another day and hour for everybody who has no zone of their own.
            Segment.objects.update(due_at=None)

    def response_change(self, request: HttpRequest, obj: ShopSettings) -> HttpResponse:
        if "_continue" in request.POST:
            return super().response_change(request, obj)
        messages.success(request, f"The settings of {obj} are saved.")
        return redirect("admin:index")

    @display(description="Script tag")
    def script_tag(self, shop: ShopSettings) -> str:
        if not shop.ingest_key:
            return "Save this page first: the tag carries a key that is made then."
        consent = ' data-consent="pending"' if shop.tracking_needs_consent else ""
        return (
            f'<script async src="{settings.REKINDLE_COLLECT_URL}/rekindle.js" '
            f'data-key="{shop.ingest_key}"{consent}></script>'
        )


def _split(origin: str) -> Any:
    try:
        parts = urlsplit(origin)
        _port = parts.port
    except ValueError:
        return None
    return parts
