"""Carts of known people, an episode a row, and their lines."""

from django.db import models
from django.db.models import Q

from crm.models.base import ByContact
from crm.models.catalogue import Product
from crm.models.contacts import Contact


class Cart(ByContact):
    """One episode of a store cart: from its first line until bought, emptied, or 30 days unchanged.

    `changed_at` is the source's time of the last change by the person, and the version that decides
    which of two messages is the newer. `left` is not a state: it depends on the instant.
    """

    class State(models.TextChoices):
        OPEN = "open", "open"
        BOUGHT = "bought", "bought"
        EMPTIED = "emptied", "emptied"
        EXPIRED = "expired", "forgotten"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="carts", db_index=False)
    source = models.CharField(max_length=40, default="script")
    token = models.CharField(max_length=100)
    checkout_id = models.CharField(max_length=100, blank=True)
    visitor_id = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    currency = models.CharField(max_length=3, blank=True)
    url = models.CharField(max_length=1000, blank=True)
    total = models.DecimalField(max_digits=12, decimal_places=2, default=0, help_text="Of the priced lines.")
    item_count = models.PositiveIntegerField(default=0)
    has_priced_line = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    order_id = models.UUIDField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)
    restored_ref = models.UUIDField(
        null=True, blank=True, help_text="The delivery whose link brought it back."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "source", "token"], condition=Q(state="open"), name="one_open_cart_a_token"
            ),
        ]
        indexes = [
            models.Index(fields=["contact", "-opened_at"], name="cart_contact_time"),
            models.Index(fields=["changed_at"], name="cart_open", condition=Q(state="open")),
            models.Index(fields=["token"], name="cart_token"),
            models.Index(fields=["-changed_at", "-id"], name="cart_newest"),
            models.Index(fields=["state", "-changed_at", "-id"], name="cart_state"),
            models.Index(fields=["checkout_id"], name="cart_checkout", condition=~Q(checkout_id="")),
        ]

    def __str__(self) -> str:
        return f"Cart of {self.item_count} for {self.total:.2f} {self.currency}"


class CartLine(ByContact):
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    external_id = models.CharField("shop's id", max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=300)
    url = models.CharField(max_length=1000, blank=True)
    image_url = models.CharField(max_length=1000, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    quantity = models.DecimalField(max_digits=10, decimal_places=2, default=1)

    class Meta:
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["contact", "cart"], name="cart_line_contact")]

    def __str__(self) -> str:
        return f"{self.quantity:g} × {self.name}"
