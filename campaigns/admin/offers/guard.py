"""The discount guard's settings, each with why it is what it is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaigns.models import OfferSettings
from campaigns.offers import editing
from crm.kernel.backoffice import OneRowAdmin


class GuardForm(forms.ModelForm):
    class Meta:
        model = OfferSettings
        fields = [
            "margin_floor",
            "deepest_without_cost",
            "full_price_days",
            "quiet_days",
            "ladder_days",
            "hunter_percent",
            "hunter_orders",
        ]
        labels = {
            "margin_floor": "Margin floor, percent",
            "deepest_without_cost": "Deepest without a cost, percent",
            "full_price_days": "Just bought: days",
            "quiet_days": "One offer in days",
            "ladder_days": "The ladder remembers days",
            "hunter_percent": "Discount-dependent from percent",
            "hunter_orders": "…and so many orders",
        }
        help_texts = {
            "margin_floor": "Of the reduced price so much has to be left above the product's cost. 15: a sale"
            " that pays for packing, payment and returns.",
            "deepest_without_cost": "Where a product's cost is not known nothing deeper is given. 25: what"
            " most shops can bear. Tell costs with the catalogue, and the floor takes its place.",
            "full_price_days": "What somebody bought at full price within these days is not offered to them"
            " for less: they read of something off their next order. 14: as long as they may send it back.",
            "quiet_days": "Nobody gets a second offer of the ladder sooner. 30: a habit begins where offers"
            " come more often.",
            "ladder_days": "After so many days without one, somebody begins at the bottom again. 180: half a"
            " year.",
            "hunter_percent": "So many of their orders had something off: a coupon, a discount, a reduced"
            " line. 70: seven of ten.",
            "hunter_orders": "With fewer orders nobody is called discount-dependent.",
        }


@admin.register(OfferSettings)
class GuardAdmin(OneRowAdmin):
    form = GuardForm
    fieldsets = [
        (
            "What an offer may cost",
            {
                "description": "A message never promises a better price than the site, unless the offer says"
                " so. These numbers hold for every offer, when a step decides and again in the moment of"
                " sending.",
                "fields": [("margin_floor", "deepest_without_cost"), "full_price_days"],
            },
        ),
        ("The ladder", {"fields": [("quiet_days", "ladder_days")]}),
        ("Discount-dependent customers", {"fields": [("hunter_percent", "hunter_orders")]}),
    ]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: Any = None
    ) -> OfferSettings | None:
        return super().get_object(request, object_id, from_field) or (
            OfferSettings() if object_id == "1" else None
        )

    def save_model(self, request: HttpRequest, obj: OfferSettings, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        editing.changed()

    def response_change(self, request: HttpRequest, obj: OfferSettings) -> HttpResponse:
        messages.success(request, "Saved. Messages that have not left yet are judged by it.")
        return redirect("admin:campaigns_offer_changelist")
