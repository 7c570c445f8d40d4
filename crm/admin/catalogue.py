"""Products."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from crm.kernel import clock, panels
from crm.kernel.backoffice import SheetsAdmin, display
from crm.kernel.columns import Column
from crm.models import Product
from crm.shop import prices, showing, stock
from crm.shop.intake import SHOP
from crm.shop.regarding import ASKED, stir_owners


@admin.register(Product)
class ProductAdmin(SheetsAdmin):
    sheet_subject = "crm.products"
    list_display = ["image", "name", "category", "brand", "money", "was", "left", "lasts", "is_active"]
    list_display_links = ["name"]
    list_filter = ["category", "brand", "in_stock", "consumable", "is_active"]
    sortable_by = ["name", "category", "brand"]
    search_fields = ["name", "=sku", "=external_id"]
    search_help_text = "A part of the name, or a whole SKU."
    ordering = ["name"]
    change_form_outer_after_template = "crm/product_page.html"
    readonly_fields = ["image", "source_at", "changed_at", "created_at", "updated_at"]

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        told = [("source_at", "changed_at"), ("created_at", "updated_at")]
        return [
            (None, {"fields": [*(["image"] if obj else []), "name", "description", ("category", "brand")]}),
            (
                "Price and stock",
                {
                    "fields": [
                        ("price", "list_price", "currency"),
                        "cost",
                        ("in_stock", "stock", "is_active"),
                    ]
                },
            ),
            ("Bought again", {"fields": [("consumable", "days_of_supply")]}),
            (
                "In the shop",
                {"fields": [("source", "external_id", "sku"), "url", "image_url", *(told if obj else [])]},
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        return [*self.readonly_fields, "source", "external_id"] if obj else self.readonly_fields

    def export_columns(self, request: HttpRequest) -> list[Column]:
        # As the import knows them, so that a file comes in again as it is.
        said = {"external_id": ("External id", "external_id"), "left": ("Stock", "stock")}
        return [Column(key, label, attrgetter(field), is_chosen=True) for key, (label, field) in said.items()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"source": SHOP} | super().get_changeform_initial_data(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        product = self.get_object(request, object_id)
        told = {"panels": panels.shown(product.pk, clock.now(), panels.product_panels) if product else []}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | told)

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        obj.updated_at = now = clock.now()
        said = set(form.changed_data)
        if said & {"stock", "in_stock"}:
            obj.told_stock(
                obj.stock if "stock" in said else None, obj.in_stock if "in_stock" in said else None
            )
        if change:
            obj.note_change(form.initial, obj.updated_at)
        super().save_model(request, obj, form, change)
        if set(prices.REMEMBERED) & set(form.changed_data):
            prices.remember([(obj.pk, prices.price_of(obj), now)], now)
        was_sold_out = change and (form.initial["in_stock"] is False or not form.initial["is_active"])
        if obj.is_sold_out != was_sold_out:
            stock.remember([(obj.pk, was_sold_out, now)], now)
        if change and set(ASKED) & set(form.changed_data):
            transaction.on_commit(partial(stir_owners, [obj.pk]))

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        stir_owners([obj.pk])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        stir_owners(list(queryset.values_list("pk", flat=True)))
        super().delete_queryset(request, queryset)

    @display(description="")
    def image(self, product: Product) -> str:
        return showing.picture(product.image_url, product.name)

    @display(description="Stock")
    def left(self, product: Product) -> str:
        if product.in_stock is False:
            return "sold out"
        return "" if product.stock is None else str(product.stock)

    @display(description="Lasts")
    def lasts(self, product: Product) -> str:
        if not product.consumable:
            return ""
        return f"{product.days_of_supply} days" if product.days_of_supply else "is used up"

    @display(description="Price", ordering="price")
    def money(self, product: Product) -> str:
        return showing.money(product.price, product.currency)

    @display(description="List price")
    def was(self, product: Product) -> str:
        return showing.money(product.list_price, product.currency)
