"""What the shop sells."""

from django.db import models

from crm.kernel import clock
from crm.models.base import ScaledModel


class Product(ScaledModel):
    """A product as the shop knows it. Small beside people: every node holds a copy."""

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
    currency = models.CharField(max_length=3, blank=True)
    brand = models.CharField(max_length=120, blank=True, db_index=True)
    category = models.CharField(max_length=200, blank=True, db_index=True)
    stock = models.IntegerField(null=True, blank=True, help_text="Blank: not known, taken as in stock.")
    consumable = models.BooleanField(default=False, help_text="Used up and bought again.")
    days_of_supply = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long one lasts; used until a person's own rhythm is known."
    )
    is_active = models.BooleanField(default=True, help_text="Still sold.")
    source_at = models.DateTimeField(
        null=True, blank=True, help_text="The shop's own time of its last word on it."
    )
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

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
