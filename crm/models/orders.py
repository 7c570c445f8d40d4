"""What people bought."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from crm.kernel import clock
from crm.models.base import ByContact, Fact, Scale
from crm.models.catalogue import Product
from crm.models.contacts import Contact


class Order(Fact):
    """An order, wherever it was taken. `occurred_at` is when it was placed."""

    class Status(models.TextChoices):
        PLACED = "placed", "placed"
        PAID = "paid", "paid"
        CANCELLED = "cancelled", "cancelled"
        REFUNDED = "refunded", "refunded"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="orders", db_index=False)
    source = models.CharField(max_length=40)
    external_id = models.CharField("shop's id", max_length=200)
    number = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PLACED)
    channel = models.CharField(max_length=12, default="web", help_text="web, phone or store")
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=12, decimal_places=2, help_text="What they paid, all in.")
    subtotal = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    discount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    shipping = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    tax = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    refunded = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    coupon_code = models.CharField(max_length=80, blank=True)
    cart_token = models.CharField(max_length=100, blank=True)
    checkout_id = models.CharField(max_length=100, blank=True)
    address_hash = models.BinaryField(
        max_length=32, null=True, help_text="Keyed hash of the e-mail on the order."
    )
    visitor_id = models.UUIDField(null=True, blank=True)
    source_at = models.DateTimeField(
        default=clock.now, help_text="The shop's own time of its last word on it."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "source", "external_id"], name="one_order_an_outside_id"
            ),
        ]
        indexes = [
            models.Index(fields=["contact", "-occurred_at"], name="order_contact_time"),
            models.Index(fields=["-occurred_at", "-id"], name="order_newest"),
            models.Index(fields=["cart_token"], name="order_cart_token", condition=~Q(cart_token="")),
            models.Index(fields=["checkout_id"], name="order_checkout", condition=~Q(checkout_id="")),
            models.Index(fields=["address_hash", "occurred_at"], name="order_address"),
            models.Index(fields=["status", "-occurred_at", "-id"], name="order_status"),
            models.Index(fields=["number"], name="order_number", condition=~Q(number="")),
            models.Index(fields=["external_id"], name="order_external_id"),
            models.Index(fields=["coupon_code"], name="order_coupon", condition=~Q(coupon_code="")),
        ]

    def __str__(self) -> str:
        return self.number or self.external_id


class OrderLine(ByContact):
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sku = models.CharField("SKU", max_length=120, blank=True)
    name = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=10, decimal_places=2, default=1)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    list_price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    occurred_at = models.DateTimeField(help_text="When the order was placed.")

    class Meta:
        indexes = [
            models.Index(fields=["contact", "product", "-occurred_at"], name="line_contact_product"),
            models.Index(Upper("name"), name="line_name"),
            models.Index(fields=["sku"], name="line_sku", condition=~Q(sku="")),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:g} × {self.name}"


class Bought(ByContact):
    """What one person has bought of one product, all orders together: a row where there is at least one.

    Derived from orders and their lines and kept up with them (`crm.shop.bought`), never told. A cancelled
    order is none; a refunded one is. Lines of goods the catalogue does not know (any more) are in no row.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    orders = models.PositiveIntegerField(help_text="Different orders with it.")
    quantity = models.DecimalField(max_digits=14, decimal_places=2, help_text="Pieces, all orders together.")
    first_at = models.DateTimeField(help_text="When the first of these orders was placed.")
    last_at = models.DateTimeField(help_text="When the last of these orders was placed.")
    again_at = models.DateTimeField(
        null=True,
        help_text="When they would buy it again by their own rhythm: the last order and the median gap."
        " Blank: no two orders a day or more apart.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "product"], name="one_row_a_product_bought"),
        ]
        indexes = [
            models.Index(fields=["again_at"], name="bought_again", condition=Q(again_at__isnull=False)),
            models.Index(
                fields=["product", "contact"],
                name="bought_product",
                include=["last_at", "first_at", "orders"],
            ),
        ]


class UncountedBuyers(models.Model):
    """One row while orders from before `Bought` was kept are being counted: of people up to this id they are.
    Rules ask the orders meanwhile.
    """

    scale = Scale.LOCAL
    scale_column = ""

    after = models.UUIDField(help_text="Contacts with a greater id are still to be counted.")
