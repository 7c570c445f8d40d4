"""Consent: append-only events chained per address, the state derived from them, and suppression.

Events are never changed: the application's database role has no right to. What names a person
stands in a side table whose digest the chain holds; erasing it leaves the chain verifiable.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.kernel import clock
from crm.models.base import Scale, ScaledModel
from crm.models.contacts import Channel


class Purpose(models.Model):
    """What we may be allowed to write (or track) for."""

    scale = Scale.LOCAL
    scale_column = ""

    class Kind(models.TextChoices):
        MARKETING = "marketing", "Marketing"
        TRANSACTIONAL = "transactional", "Transactional"
        TRACKING = "tracking", "Tracking"

    key = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    channels = ArrayField(models.CharField(max_length=12), default=list)
    legal_bases = ArrayField(models.CharField(max_length=30), default=list)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class ConsentText(ScaledModel):
    """The exact wording a person saw. Immutable; a new wording is a new version."""

    purposes = ArrayField(models.SlugField())
    locale = models.CharField(max_length=12, default="en")
    version = models.PositiveIntegerField(default=1)
    wording = models.TextField()
    sha256 = models.BinaryField(max_length=32, unique=True)
    shown_at_url = models.CharField(max_length=500, blank=True)
    valid_from = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.wording[:60]


class ConsentEvent(ScaledModel):
    """One thing a person (or an import, or a bounce) said about one address, channel and purpose."""

    scale = Scale.BY_VALUE
    scale_column = "address_hash"

    class Action(models.TextChoices):
        REQUESTED = "requested", "asked to confirm"
        CONFIRMED = "confirmed", "confirmed"
        GRANTED = "granted", "granted"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn"
        OBJECTED = "objected", "objected"
        EXPIRED = "expired", "expired"
        BOUNCED = "bounced", "bounced"
        COMPLAINED = "complained", "complained"
        ERASED = "erased", "erased"
        IMPORTED = "imported", "imported"

    address_hash = models.BinaryField(max_length=32)
    position = models.PositiveIntegerField(help_text="Place in this address's chain, from 1.")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    purpose = models.ForeignKey(
        Purpose,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Blank: every purpose.",
    )
    action = models.CharField(max_length=12, choices=Action.choices)
    legal_basis = models.CharField(max_length=30, blank=True)
    text = models.ForeignKey(ConsentText, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    source_kind = models.CharField(max_length=30)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=clock.now)
    is_backfill = models.BooleanField(default=False)
    detail_digest = models.BinaryField(max_length=32)
    prev_sha256 = models.BinaryField(max_length=32)
    row_sha256 = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address_hash", "position"], name="one_event_a_chain_position"),
        ]


class ConsentDetail(models.Model):
    """Who said it and the evidence. Deleted at erasure; the event's digest of it stays."""

    scale = Scale.BY_VALUE
    scale_column = "address_hash"

    event = models.OneToOneField(
        ConsentEvent, primary_key=True, on_delete=models.CASCADE, related_name="detail"
    )
    address_hash = models.BinaryField(max_length=32)
    contact_id = models.UUIDField(null=True, db_index=True)
    address = models.CharField(max_length=254, blank=True)
    source_ref = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=120, blank=True)
    ip_truncated = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    salt = models.BinaryField(max_length=16)


class ConsentState(ScaledModel):
    """What the events add up to for one address, channel and purpose. Derived; can be rebuilt."""

    scale = Scale.BY_VALUE
    scale_column = "address_hash"

    class Status(models.TextChoices):
        UNKNOWN = "unknown", "unknown"
        PENDING = "pending", "waiting for confirmation"
        GRANTED = "granted", "granted"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn"
        EXPIRED = "expired", "expired"

    address_hash = models.BinaryField(max_length=32)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    may_send = models.BooleanField(default=False)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.UNKNOWN)
    since = models.DateTimeField()
    last_event = models.ForeignKey(ConsentEvent, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address_hash", "channel", "purpose"], name="one_consent_state"),
        ]
        indexes = [
            # Who may be written to is this index and that of addresses, laid beside each other.
            models.Index(
                fields=["channel", "purpose", "address_hash"],
                name="consent_may_send",
                condition=models.Q(may_send=True),
            ),
            models.Index(
                fields=["purpose", "since"], name="consent_since", condition=models.Q(may_send=True)
            ),
        ]


class Suppression(ScaledModel):
    """Never write to this address (for this purpose, or at all). Outlives the contact."""

    scale = Scale.BY_VALUE
    scale_column = "address_hash"

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "unsubscribed"
        COMPLAINED = "complained", "complained"
        HARD_BOUNCE = "hard_bounce", "bounced for good"
        ERASED = "erased", "erased"
        STAFF = "staff", "stopped by a colleague"
        IMPORTED = "imported", "on an imported suppression list"

    address_hash = models.BinaryField(max_length=32)
    hash_key_id = models.SmallIntegerField(default=1)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    purpose = models.ForeignKey(
        Purpose,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Blank: every purpose.",
    )
    reason = models.CharField(max_length=16, choices=Reason.choices)
    since = models.DateTimeField(default=clock.now)
    source_event = models.ForeignKey(
        ConsentEvent, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address_hash", "channel", "purpose"], name="one_suppression", nulls_distinct=False
            ),
        ]
