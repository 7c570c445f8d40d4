"""Everything that leaves, one row a thing and recipient, and the log of attempts."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.models.base import ByContact, Scale
from crm.models.consent import Purpose
from crm.models.contacts import Channel, Contact


class DeliveryState(models.TextChoices):
    QUEUED = "queued", "queued"
    CLAIMED = "claimed", "being prepared"
    SENDING = "sending", "being sent"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"
    SUPPRESSED = "suppressed", "not sent: not allowed"
    SKIPPED = "skipped", "not sent: not right"
    UNKNOWN = "unknown", "delivery unconfirmed"


WEBHOOK = "webhook"


class Delivery(models.Model):
    """One message to one address, or one call of another system about a person. PostgreSQL alone holds its
    truth; only the edges of `EDGES` exist.

    Leases use the database's clock; every other instant is the `now` that was passed in.
    `since`, `cart_token`, `checkout_id` say which orders end it; `idle_for` how long the person must
    have done nothing; `subject_version` the instant of the cart's last change that the text shows.
    """

    scale = Scale.LOCAL
    scale_column = ""

    EDGES = {
        "queued": {"claimed"},
        "claimed": {"queued", "sending", "suppressed", "skipped"},
        "sending": {"sent", "queued", "failed", "unknown"},
        "unknown": {"sent", "failed", "queued"},
        "sent": set(),
        "failed": set(),
        "suppressed": set(),
        "skipped": set(),
    }

    CHANNELS = [*Channel.choices, (WEBHOOK, "Webhook")]

    class Origin(models.TextChoices):
        FLOW = "flow", "flow"
        SYSTEM = "system", "told to another system"
        PERSONAL = "personal", "a colleague's letter"
        TEST = "test", "test"
        NOTICE = "notice", "notice to a colleague"

    # What goes to ourselves: no consent is asked for it, and nothing in it is counted.
    TO_US = (Origin.TEST, Origin.NOTICE)

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    dedupe_key = models.CharField(max_length=200, unique=True)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.FLOW)
    channel = models.CharField(max_length=12, choices=CHANNELS, default=Channel.EMAIL)
    contact_id = models.UUIDField(null=True)
    address_hash = models.BinaryField(
        max_length=32, help_text="Empty where it goes to no address of a person: a call of another system."
    )
    test_address = models.EmailField(
        blank=True, help_text="Where it goes when it goes to ourselves; blank for a customer."
    )
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+", db_index=False)
    sender = models.ForeignKey(
        "campaigns.Sender", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    campaign = models.ForeignKey(
        "campaigns.Campaign", null=True, on_delete=models.PROTECT, related_name="deliveries"
    )
    step_key = models.CharField(max_length=40, blank=True)
    variant = models.CharField(
        max_length=40, blank=True, db_default="", help_text="Which of several messages of the step."
    )
    enrolment_id = models.UUIDField(null=True)
    template = models.ForeignKey(
        "campaigns.Template", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    template_version = models.ForeignKey(
        "campaigns.TemplateVersion",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    offer = models.ForeignKey(
        "campaigns.Offer", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    needs_offer = models.BooleanField(
        default=False, db_default=False, help_text="Without its offer it is not sent."
    )
    subject_kind = models.CharField(max_length=20, blank=True)
    subject_id = models.UUIDField(null=True)
    subject_version = models.DateTimeField(null=True)
    products = ArrayField(models.UUIDField(), null=True, help_text="The products the text shows.")
    products_stamp = models.BigIntegerField(
        null=True, help_text="How fresh they were when it was made: grows with any change of any of them."
    )
    since = models.DateTimeField(null=True, help_text="Any order placed since then ends it.")
    cart_token = models.CharField(max_length=100, blank=True)
    checkout_id = models.CharField(max_length=100, blank=True)
    idle_for = models.DurationField(null=True)
    counts = models.BooleanField(
        default=False, db_default=False, help_text="It counts in the frequency limits."
    )
    passes_limits = models.BooleanField(
        default=False, db_default=False, help_text="It counts in them, but they do not stop it."
    )
    quiet_zone = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        help_text="The zone whose quiet hours it keeps. Blank: it keeps none.",
    )

    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    reason = models.CharField(max_length=60, blank=True)
    is_held = models.BooleanField(default=False)
    due_at = models.DateTimeField(help_text="The moment it should have left.")
    not_before = models.DateTimeField()
    not_after = models.DateTimeField(null=True)
    priority = models.SmallIntegerField(default=100)
    attempts = models.PositiveIntegerField(default=0)
    lease_token = models.BigIntegerField(null=True)
    lease_until = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=80, blank=True)
    fenced_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    provider = models.CharField(max_length=30, blank=True)
    provider_message_id = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    context = models.BinaryField(null=True, help_text="What the text was made from: JSON, compressed.")
    message_sha256 = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField(default=clock.now)

    joined: Sequence[Any] = ()
    """What came along with it, while it is being made (`campaigns.messages.joining.Part`)."""

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(sender__isnull=False) | Q(origin="system"), name="a_message_has_a_sender"
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "not_before", "id"],
                name="delivery_queue",
                condition=Q(state="queued", is_held=False),
            ),
            models.Index(
                fields=["lease_until"], name="delivery_leases", condition=Q(state__in=["claimed", "sending"])
            ),
            models.Index(fields=["id"], name="delivery_unknown", condition=Q(state="unknown")),
            models.Index(fields=["provider", "provider_message_id"], name="delivery_provider"),
            models.Index(fields=["contact_id", "-created_at"], name="delivery_contact_time"),
            models.Index(fields=["enrolment_id"], name="delivery_enrolment"),
            models.Index(fields=["-created_at", "-id"], name="delivery_newest"),
            models.Index(
                fields=["state", "-created_at", "-id"],
                name="delivery_not_sent",
                condition=Q(state__in=["queued", "failed", "suppressed", "skipped", "unknown"]),
            ),
            models.Index(fields=["reason", "-created_at"], name="delivery_reason", condition=~Q(reason="")),
            models.Index(
                fields=["campaign", "-created_at", "-id"],
                name="delivery_campaign",
                condition=Q(campaign__isnull=False),
            ),
            models.Index(
                fields=["campaign", "step_key", "variant"],
                name="delivery_variant",
                condition=~Q(variant=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {str(self.public_id)[:8]}"


class DeliveryAttempt(models.Model):
    """One row a fence, never changed but to be ended."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempt_log")
    lease_token = models.BigIntegerField(unique=True)
    fenced_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=12, blank=True)
    code = models.IntegerField(null=True)
    response = models.TextField(blank=True)
    message_sha256 = models.BinaryField(max_length=32, null=True)


class Decision(ByContact):
    """Why somebody did or did not get something, with the values of that moment."""

    class Verdict(models.TextChoices):
        ENTERED = "entered", "entered"
        SENT = "sent", "sent"
        DONE = "done", "done"
        QUEUED = "queued", "to be sent"
        HELD_OUT = "held_out", "held out (control group)"
        SHADOW = "shadow", "would have happened (in shadow)"
        WAITED = "waited", "made to wait"
        JOINED = "joined", "joined"
        SKIPPED = "skipped", "skipped"
        SUPPRESSED = "suppressed", "not allowed"
        LEFT = "left", "left"
        GOAL = "goal", "reached the goal"
        FAILED = "failed", "failed"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    campaign = models.ForeignKey(
        "campaigns.Campaign", null=True, on_delete=models.CASCADE, related_name="decisions"
    )
    enrolment_id = models.UUIDField(null=True)
    delivery_id = models.BigIntegerField(null=True)
    step_key = models.CharField(max_length=40, blank=True)
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    reason = models.CharField(max_length=60, blank=True)
    words = models.CharField(max_length=300, help_text="The reason as a person reads it.")
    evidence = models.JSONField(default=dict, blank=True)
    decided_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["contact", "-decided_at"], name="decision_contact_time"),
            models.Index(fields=["-decided_at", "-id"], name="decision_newest"),
            models.Index(fields=["campaign", "-decided_at"], name="decision_campaign"),
            models.Index(fields=["verdict", "-decided_at", "-id"], name="decision_verdict"),
        ]


class OrderCredit(ByContact):
    """The one delivery an order is credited to."""

    class How(models.TextChoices):
        CLICK = "click", "a click"
        RESTORED = "restored", "a cart brought back"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    order_id = models.UUIDField()
    delivery_id = models.BigIntegerField()
    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="credits")
    how = models.CharField(max_length=10, choices=How.choices)
    touched_at = models.DateTimeField(help_text="When they clicked or brought the cart back.")
    ordered_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=12, decimal_places=2, help_text="Net of tax, shipping, refunds.")
    currency = models.CharField(max_length=3)
    at_once = models.BooleanField(help_text="Within 24 hours of the touch.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact", "order_id"], name="one_credit_an_order")]
        indexes = [models.Index(fields=["campaign", "ordered_at"], name="credit_campaign_time")]
