"""What the shop sells."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models

from crm.kernel import clock
from crm.models.base import ScaledModel


class ProductQuerySet(models.QuerySet["Product"]):
    def buyable(self) -> Self:
        """Those that can be bought now; of unknown stock is in stock."""
        return self.filter(is_active=True).exclude(in_stock=False)


class Product(ScaledModel):
    """A product as the shop knows it. Small beside people: every node holds a copy.

    `in_stock` is the one answer to whether it can be bought; whoever tells a number alone has it derived.
    `changed_at` only grows, and at each change: equal means nothing a message says of it has changed.
    """

    OFFERED = ("price", "list_price", "currency", "in_stock", "is_active", "url", "image_url", "name")
    """What a message says of a product, and has to be true when it leaves."""

    source = models.CharField(max_length=40, default="script")
    external_id = models.CharField("shop's id", max_length=200)
    sku = models.CharField("SKU", max_length=120, blank=True)
    name = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    url = models.CharField("page", max_length=1000, blank=True)
    image_url = models.CharField("picture", max_length=1000, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    list_price = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="Before any reduction on the site."
    )
    cost = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What one costs the shop. Kept to ourselves; no offer falls below the margin floor.",
    )
    currency = models.CharField(max_length=3, blank=True)
    brand = models.CharField(max_length=120, blank=True, db_index=True)
    category = models.CharField(max_length=200, blank=True, db_index=True)
    in_stock = models.BooleanField(
        null=True, blank=True, help_text="Whether it can be bought now. Not known: taken as in stock."
    )
    stock = models.IntegerField(
        "number in stock", null=True, blank=True, help_text="Blank: not counted. None left is sold out."
    )
    consumable = models.BooleanField(default=False, help_text="Used up and bought again.")
    days_of_supply = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long one lasts; used until a person's own rhythm is known."
    )
    is_active = models.BooleanField(default=True, help_text="Still sold.")
    source_at = models.DateTimeField(
        null=True, blank=True, help_text="The shop's own time of its last word on it."
    )
    changed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When its price, stock or page last changed; messages made before are made anew.",
    )
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_product_an_outside_id")
        ]
        indexes = [
            models.Index(fields=["name"], name="product_name"),
            models.Index(fields=["sku"], name="product_sku"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_sold_out(self) -> bool:
        """Known not to be bought now: sold out, or no longer sold."""
        return self.in_stock is False or not self.is_active

    def told_stock(self, number: int | None, in_stock: bool | None) -> None:
        """Take a word about the stock: a number, yes or no, or both. The half that is not said follows."""
        if in_stock is None and number is not None:
            in_stock = number > 0
        elif in_stock is False and number is None:
            number = 0
        elif in_stock and number is None:
            number = self.stock if (self.stock or 0) > 0 else None
        if in_stock is not None:
            self.stock, self.in_stock = number, in_stock

    def note_change(self, before: Mapping[str, Any], now: datetime) -> None:
        """Move `changed_at` where what a message says of it is not as before."""
        if any(before[name] != getattr(self, name) for name in self.OFFERED):
            least = self.changed_at + timedelta(microseconds=1) if self.changed_at else now
            self.changed_at = max(now, least)


class PriceChange(ScaledModel):
    """What the site asked for a product from an instant on. Never changed, one row a change."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    list_price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    occurred_at = models.DateTimeField(help_text="From when on, by the shop's own time.")
    recorded_at = models.DateTimeField(help_text="When we came to know of it.")

    class Meta:
        indexes = [
            models.Index(fields=["product", "-occurred_at", "-id"], name="price_product_time"),
            models.Index(fields=["recorded_at"], name="price_lately"),
        ]

    def __str__(self) -> str:
        return f"{self.price} {self.currency}"


class StockChange(ScaledModel):
    """From an instant on a product could be bought again, or no longer. Never changed, one row a change; a
    product that could always be bought has none.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    can_be_bought = models.BooleanField()
    occurred_at = models.DateTimeField(help_text="From when on, by the shop's own time.")
    recorded_at = models.DateTimeField(help_text="When we came to know of it.")

    class Meta:
        indexes = [
            models.Index(fields=["product", "-occurred_at", "-id"], name="stock_product_time"),
            models.Index(
                fields=["recorded_at"], name="stock_back_lately", condition=models.Q(can_be_bought=True)
            ),
        ]

    def __str__(self) -> str:
        return "can be bought" if self.can_be_bought else "sold out"
