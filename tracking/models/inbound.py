"""What came in from outside, raw and durable before it was answered, and what was refused."""

from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.models.base import Scale


class InboundEvent(models.Model):
    """One accepted request, as it came. Projections read it in batches; an error parks the row alone.

    `event_key` is unique a source where the sender names its messages; blank where each event inside
    carries an id of its own. `cart_tokens`, `address_hashes` and `visitor_id` are lifted out of bodies
    that tell of an order, so that the fence can see an order nobody has read yet.
    """

    scale = Scale.LOCAL
    scale_column = ""

    class State(models.TextChoices):
        NEW = "new", "waiting"
        APPLIED = "applied", "applied"
        PARKED = "parked", "parked with an error"

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=40, help_text="collect, open, click, api, shopify…")
    event_key = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField(default=clock.now)
    body = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    error = models.TextField(blank=True)
    has_order = models.BooleanField(default=False)
    visitor_id = models.UUIDField(null=True, blank=True)
    cart_token = models.CharField(max_length=100, blank=True)
    address_hash = models.BinaryField(max_length=32, null=True)
    origin = models.CharField(max_length=200, blank=True)
    ip_truncated = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    sanitised = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "event_key"], condition=~Q(event_key=""), name="one_row_an_inbound_key"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="inbound_waiting", condition=Q(state="new")),
            models.Index(
                fields=["visitor_id"], name="inbound_order", condition=Q(state="new", has_order=True)
            ),
            models.Index(fields=["received_at"], name="inbound_age"),
            models.Index(fields=["id"], name="inbound_parked", condition=Q(state="parked")),
        ]


class Refusal(models.Model):
    """How many requests or events one door refused on one day, by reason."""

    scale = Scale.LOCAL
    scale_column = ""

    pk = models.CompositePrimaryKey("on_day", "door", "reason")
    on_day = models.DateField()
    door = models.CharField(max_length=20)
    reason = models.CharField(max_length=60)
    count = models.PositiveBigIntegerField(default=0)
