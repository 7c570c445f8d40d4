"""Products in and out of a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from import_export import resources

from crm.models import Product
from crm.shop.intake import SHOP
from crm.shop.products import ProductIn, record_products

TOLD = (
    "sku",
    "name",
    "description",
    "url",
    "image_url",
    "price",
    "list_price",
    "cost",
    "currency",
    "brand",
    "category",
    "stock",
    "in_stock",
    "consumable",
    "days_of_supply",
    "is_active",
)


class ProductResource(resources.ModelResource):
    """A row is a word about a product, as the shop's own: the newest word counts, blank cells say nothing."""

    class Meta:
        model = Product
        fields = ("source", "external_id", *TOLD)
        import_id_fields = ("external_id",)
        skip_unchanged = True

    def __init__(self, now: datetime | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.now = now
        self.row_says: set[str] = set()

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        self.row_says = set()
        row["source"] = str(row.get("source") or "").strip() or SHOP
        row["external_id"] = str(row.get("external_id") or "").strip()
        if not row["external_id"]:
            raise ValidationError({"external_id": "Every product needs the shop's id of it."})

    def get_instance(self, instance_loader: Any, row: Any) -> Product | None:
        return Product.objects.filter(source=row["source"], external_id=row["external_id"]).first()

    def import_field(self, field: Any, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        told = row.get(field.column_name)
        if told is None or (isinstance(told, str) and not told.strip()):
            return
        self.row_says.add(field.column_name)
        super().import_field(field, instance, row, is_m2m, **kwargs)

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        assert self.now is not None, "an import needs the moment it happens at"
        # Of the two halves of the stock, the one this row leaves out follows from the one it tells.
        silent = {"stock", "in_stock"} - self.row_says
        word = ProductIn(
            instance.external_id,
            **{
                name: getattr(instance, name)
                for name in TOLD
                if name not in silent and getattr(instance, name) not in (None, "")
            },
            source_at=self.now,
        )
        found = record_products([word], self.now, source=instance.source)
        instance.pk = found[instance.external_id]
