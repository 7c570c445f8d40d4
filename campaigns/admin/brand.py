"""The brand kit: what messages look like, beside a message in it, and what their links say."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.admin import frames
from campaigns.admin.images import CHOOSER, choosable
from campaigns.messages import branding, sampling
from campaigns.messages.branding import Restyled
from campaigns.models import BrandKit
from crm.kernel import clock, colours
from crm.kernel.backoffice import (
    OneRowAdmin,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    WebAddress,
)
from crm.models import ShopSettings
from crm.shop.fitting import web_address
from crm.shop.settings import this_shop

COLOURS = ("text", "link", "paper", "page", "button")
MOST_SOCIAL = 8


class Socials(forms.CharField):
    """Where else the shop is found: a name and an address a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(f"{one['name']} {one['url']}" for one in value)
        return value

    def clean(self, value: Any) -> list[dict[str, str]]:
        found = []
        for line in filter(None, map(str.strip, super().clean(value).splitlines())):
            name, _, url = line.rpartition(" ")
            safe = web_address(url if "://" in url else f"https://{url}")
            if not safe or "." not in (urlsplit(safe).hostname or ""):
                raise forms.ValidationError(f"“{line}”: end the line with an address such as https://….")
            found.append({"name": name.strip()[:40] or urlsplit(safe).hostname or "", "url": safe})
        if len(found) > MOST_SOCIAL:
            raise forms.ValidationError(f"At most {MOST_SOCIAL}: more are lost in the small print.")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "").split() != (data or "").split()


class BrandForm(forms.ModelForm):
    """The kit, and the two things of it that stand in the shop's settings."""

    logo_url = WebAddress(
        label="Logo",
        required=False,
        max_length=200,
        help_text="From the library, or its address. Messages show it 40 pixels high; a PNG twice as high is "
        "sharp on every screen.",
    )
    button = forms.CharField(
        label="Buttons",
        max_length=7,
        validators=ShopSettings._meta.get_field("colour").validators,
        help_text="The words on them are white or black, whichever is read better.",
    )
    social = Socials(
        label="Social links",
        required=False,
        help_text="One a line, such as: Instagram https://instagram.com/yourshop",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    class Meta:
        model = BrandKit
        fields = [
            "text", "link", "paper", "page", "font", "radius", "footer_words", "social", "adds_parameters",
            "source", "medium", "campaign", "content",
        ]  # fmt: skip
        labels = {
            "source": "Source (utm_source)",
            "medium": "Medium (utm_medium)",
            "campaign": "Campaign (utm_campaign)",
            "content": "Content (utm_content)",
        }
        widgets = {"footer_words": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shop = ShopSettings.objects.filter(pk=1).first() or ShopSettings()
        self.initial.update(logo_url=shop.logo_url, button=shop.colour)
        if "logo_url" in self.fields:
            self.fields["logo_url"].widget = UnfoldAdminTextInputWidget()
            choosable(self.fields["logo_url"])
        for name in COLOURS:
            if name in self.fields:
                self.fields[name].error_messages["invalid"] = colours.HOW_WRITTEN
                self.fields[name].widget = UnfoldAdminTextInputWidget(
                    attrs={"data-colour": "", "maxlength": 7}
                )

    def clean_button(self) -> str:
        return self.cleaned_data["button"].lower()

    def shop(self) -> ShopSettings:
        """The shop's settings with what was typed here; not saved."""
        shop = ShopSettings.objects.filter(pk=1).first() or ShopSettings()
        shop.logo_url, shop.colour = self.cleaned_data["logo_url"], self.cleaned_data["button"]
        return shop


@admin.register(BrandKit)
class BrandKitAdmin(OneRowAdmin):
    form = BrandForm
    change_form_outer_before_template = "campaigns/brand_page.html"
    fieldsets = [
        (
            "What it looks like",
            {"fields": ["logo_url", ("button", "link"), ("text", "paper"), ("page", "radius"), "font"]},
        ),
        ("In every footer", {"fields": ["footer_words", "social"]}),
        (
            "What links tell the shop’s statistics",
            {"fields": ["adds_parameters", ("source", "medium"), ("campaign", "content")]},
        ),
    ]

    class Media:
        js = [CHOOSER, "rekindle/brand.js"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> BrandKit | None:
        return branding.this_kit() if object_id == "1" else None

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "preview/",
                wrap(require_http_methods(["GET", "POST"])(self.preview)),
                name="campaigns_brandkit_preview",
            ),
            path("contrast/", wrap(require_POST(self.contrast)), name="campaigns_brandkit_contrast"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        kit = branding.this_kit()
        look = branding.look_of(kit, ShopSettings.objects.filter(pk=1).first() or ShopSettings())
        told = {"title": "Brand kit", "contrasts": branding.contrasts(look)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | told)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """A sample message in the kit, or in what was typed and not saved yet; for a sandboxed frame."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        kit, shop = branding.this_kit(), ShopSettings.objects.filter(pk=1).first() or ShopSettings()
        if request.method == "POST":
            form = BrandForm(request.POST, instance=kit)
            if not form.is_valid():
                return frames.plain(f"This cannot be shown yet.\n\n{_complaints(form)}")
            kit, shop = form.instance, form.shop()
        return frames.framed(sampling.message(kit, shop, clock.now()).html)

    def contrast(self, request: HttpRequest) -> HttpResponse:
        """How well everything would be read."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = BrandForm(request.POST, instance=branding.this_kit())
        found = branding.contrasts(branding.look_of(form.instance, form.shop())) if form.is_valid() else []
        return render(request, "campaigns/brand_contrast.html", {"contrasts": found})

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: BrandKit, form: Any, change: bool) -> None:
        now = clock.now()
        obj.changed_at = now
        obj.save()
        shop = this_shop()
        shop.logo_url, shop.colour = form.cleaned_data["logo_url"], form.cleaned_data["button"]
        shop.save(update_fields=["logo_url", "colour"])
        _report(request, branding.restyle(branding.look_of(obj, shop), request.user, now))

    def response_change(self, request: HttpRequest, obj: BrandKit) -> HttpResponse:
        return self._own_page()


def _report(request: HttpRequest, done: Restyled) -> None:
    parts = []
    if done.in_place:
        parts.append(f"{done.in_place} took the new look in place")
    if done.new_versions:
        parts.append(f"{done.new_versions} that had been sent got a new version in it")
    told = f" Of the templates made of blocks {' and '.join(parts)}." if parts else ""
    messages.success(request, f"The brand kit is saved.{told}")
    if done.broken:
        names = ", ".join(f"“{name}”" for name in done.broken[:5])
        messages.warning(request, f"These could not be made anew; open them, mend them and save: {names}.")


def _complaints(form: BrandForm) -> str:
    return "\n".join(
        f"{form.fields[name].label or name}: {error}" if name in form.fields else str(error)
        for name, errors in form.errors.items()
        for error in errors
    )
