"""What known people do, partitioned by month."""

from django.db import models

from crm.models.base import Fact
from crm.models.contacts import Contact


class Actor(models.TextChoices):
    HUMAN = "human", "a person"
    LIKELY_HUMAN = "likely_human", "probably a person"
    PROXY = "proxy", "an image proxy"
    MACHINE = "machine", "a machine"
    UNKNOWN = "unknown", "not known"


class EventKind(models.TextChoices):
    PAGE = "page", "looked at a page"
    PRODUCT = "product", "looked at a product"
    FAVOURITE = "favourite", "saved a product"
    SEARCH = "search", "searched"
    CART = "cart", "changed the cart"
    CHECKOUT = "checkout", "went to the checkout"
    IDENTIFY = "identify", "gave their address"
    OPEN = "open", "opened a message"
    CLICK = "click", "clicked in a message"
    LANDING = "landing", "arrived from a message"
    RESTORE = "restore", "brought a cart back"
    REPLY = "reply", "answered a message"
    CUSTOM = "custom", "did something of the shop's own"


class Event(Fact):
    """One act of one contact. `ref` names the delivery it answers, opaque to this app.

    The table is partitioned by month of `occurred_at`; its key in the database is (id, occurred_at).
    Partitions are made ahead by `tracking_make_partition`, and a default one catches what is far off.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="events", db_index=False)
    visitor_id = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=30, choices=EventKind.choices)
    url = models.CharField(max_length=1000, blank=True)
    product_id = models.UUIDField(null=True, blank=True)
    ref = models.UUIDField(null=True, blank=True)
    actor = models.CharField(max_length=12, choices=Actor.choices, default=Actor.HUMAN)
    props = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["contact", "-occurred_at"], name="event_contact_time"),
            models.Index(fields=["kind", "-id"], name="event_kind"),
            models.Index(fields=["ref"], name="event_ref", condition=models.Q(ref__isnull=False)),
        ]
