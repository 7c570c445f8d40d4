"""Carts, with what is in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import reverse

from crm.kernel.backoffice import ReadOnlyAdmin, ReadOnlyTabularInline, display
from crm.shop import showing
from tracking.models import Cart, CartLine

LABELS = {"open": "info", "bought": "success", "emptied": "warning", "expired": "warning"}


class LineInline(ReadOnlyTabularInline):
    model = CartLine
    fields = ["image", "thing", "number", "each"]
    readonly_fields = ["image", "thing", "number", "each"]
    verbose_name_plural = "What is in it"

    @display(description="")
    def image(self, line: CartLine) -> str:
        return showing.picture(line.image_url, line.name)

    @display(description="Product")
    def thing(self, line: CartLine) -> str:
        return showing.link(line.url, line.name)

    @display(description="How many")
    def number(self, line: CartLine) -> str:
        return f"{line.quantity:g}"

    @display(description="Price")
    def each(self, line: CartLine) -> str:
        return showing.money(line.price)


@admin.register(Cart)
class CartAdmin(ReadOnlyAdmin):
    list_display = ["who", "how", "item_count", "worth", "opened_at", "changed_at", "last_seen"]
    list_filter = ["state"]
    sortable_by = ["changed_at"]
    search_fields = ["token__exact", "checkout_id__exact"]
    search_help_text = "A whole cart or checkout token."
    ordering = ["-changed_at", "-id"]
    list_select_related = ["contact__engagement"]
    inlines = [LineInline]
    readonly_fields = ["person", "worth", "shop_page"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("person", "state"),
                    ("worth", "item_count"),
                    ("opened_at", "changed_at"),
                    ("closed_at", "restored_at"),
                ]
            },
        ),
        (
            "Where it came from",
            {
                "classes": ["collapse"],
                "fields": [("source", "token", "checkout_id"), ("shop_page", "recorded_at")],
            },
        ),
    ]

    @display(description="Who")
    def who(self, cart: Cart) -> str:
        return str(cart.contact)

    @display(description="Who")
    def person(self, cart: Cart) -> str:
        return showing.link(reverse("admin:crm_contact_change", args=[cart.contact_id]), cart.contact)

    @display(description="Page in the shop")
    def shop_page(self, cart: Cart) -> str:
        return showing.link(cart.url, cart.url)

    @display(description="Worth")
    def worth(self, cart: Cart) -> str:
        return showing.money(cart.total, cart.currency)

    @display(description="State", label=LABELS)
    def how(self, cart: Cart) -> tuple[str, str]:
        return cart.state, cart.get_state_display()

    @display(description="Person last here")
    def last_seen(self, cart: Cart) -> Any:
        engagement = getattr(cart.contact, "engagement", None)
        return engagement.last_seen_at if engagement else None
