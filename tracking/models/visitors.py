"""Browsers: who is behind one, how sure we are, and what they do while nobody is."""

from django.db import models

from crm.kernel import clock
from crm.models.base import Scale
from crm.models.contacts import Contact


class Visitor(models.Model):
    """One browser of one shop. The id is made by the script from 122 random bits and proves nothing.

    `contact` is set only by proof: a signature of the shop's server, or a confirmed click from a message.
    An address a browser merely claims is kept as `claimed_hash` and changes nothing else.
    """

    scale = Scale.BY_VALUE
    scale_column = "id"

    class Trust(models.TextChoices):
        ANONYMOUS = "anonymous", "anonymous"
        CLAIMED = "claimed", "claimed, not proven"
        SIGNED = "signed", "signed by the shop"
        CLICKED = "clicked", "came by a confirmed click"

    id = models.UUIDField(primary_key=True)
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="visitors"
    )
    trust = models.CharField(max_length=10, choices=Trust.choices, default=Trust.ANONYMOUS)
    claimed_hash = models.BinaryField(max_length=32, null=True)
    first_seen_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    identity_changed_at = models.DateTimeField(
        null=True, blank=True, help_text="Only what happened since then can be adopted by the next identity."
    )
    user_agent = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["contact"], name="visitor_contact")]


class VisitorEvent(models.Model):
    """What an unknown visitor did; short-lived, adopted with the same id when they become known."""

    scale = Scale.BY_VALUE
    scale_column = "visitor_id"

    id = models.UUIDField(primary_key=True)
    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=30)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=clock.now)
    is_backfill = models.BooleanField(default=False)
    url = models.CharField(max_length=1000, blank=True)
    product_id = models.UUIDField(null=True, blank=True)
    ref = models.UUIDField(null=True, blank=True)
    actor = models.CharField(max_length=12, default="human")
    props = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["visitor", "occurred_at"], name="visitor_event_time"),
            models.Index(fields=["recorded_at"], name="visitor_event_age"),
        ]


class VisitorCart(models.Model):
    """An unknown visitor's open cart, as last told; becomes a cart when they become known."""

    scale = Scale.BY_VALUE
    scale_column = "visitor_id"

    id = models.UUIDField(primary_key=True)
    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="carts")
    source = models.CharField(max_length=40, default="script")
    token = models.CharField(max_length=100)
    checkout_id = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    url = models.CharField(max_length=1000, blank=True)
    lines = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visitor", "source", "token"], name="one_cart_a_visitor_token"),
        ]
