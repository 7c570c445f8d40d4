"""Contacts, the addresses they are reached at, and what the outside world calls them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Concat, Upper

from crm.kernel import clock, masking
from crm.models.base import ByContact, Fact, Scale, ScaledModel


def words() -> Upper:
    """What a person is found by, in capitals: the index `contact_words` is of exactly this."""
    said = ("first_name", Value(" "), "last_name", Value(" "), "email", Value(" "), "phone")
    return Upper(Concat(*said))


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    WEBPUSH = "webpush", "Web push"


class Contact(ScaledModel):
    """A person. Addresses live in contact points; `email` and `phone` here are copies to show and sort by.

    Who was merged into another has `merged_into`, and every question about people passes them over. Who was
    erased is merged into themselves: a blank row that only holds numbers together.
    """

    scale = Scale.BY_CONTACT
    scale_column = "id"

    first_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    email = models.CharField("e-mail", max_length=254, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    company = models.ForeignKey(
        "crm.Company", null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    language = models.CharField(max_length=12, blank=True, help_text="Such as en or pt-BR.")
    country = models.CharField(max_length=2, blank=True, help_text="ISO code such as DE.")
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="Such as Europe/Berlin; blank: the shop's."
    )
    tags = models.JSONField(default=list, blank=True)
    fields = models.JSONField("own fields", default=dict, blank=True)
    source = models.CharField(max_length=60, blank=True, help_text="Where we first learned of this person.")
    is_test = models.BooleanField("test person", default=False, help_text="Never counted in results.")
    created_at = models.DateTimeField(default=clock.now)
    recorded_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged"
    )
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        permissions = [
            ("merge_contacts", "May merge two people, and undo it"),
            ("handle_requests", "May answer people's requests: give out what is kept of one, and erase one"),
        ]
        indexes = [
            models.Index(fields=["email"], name="contact_email"),
            models.Index(fields=["-created_at", "-id"], name="contact_newest"),
            models.Index(fields=["last_name", "first_name", "id"], name="contact_name"),
            models.Index(OpClass(Upper("first_name"), "text_pattern_ops"), name="contact_first_prefix"),
            models.Index(OpClass(Upper("last_name"), "text_pattern_ops"), name="contact_last_prefix"),
            models.Index(OpClass(Upper("email"), "text_pattern_ops"), name="contact_mail_prefix"),
            GinIndex(OpClass(words(), "gin_trgm_ops"), name="contact_words"),
            models.Index(fields=["country", "-created_at", "-id"], name="contact_country"),
            models.Index(fields=["source", "-created_at", "-id"], name="contact_source"),
            models.Index(fields=["-created_at", "-id"], name="contact_test", condition=Q(is_test=True)),
            models.Index(fields=["id"], name="contact_merged", condition=Q(merged_into__isnull=False)),
            # Whole answers of own fields: who has this birthday.
            GinIndex(fields=["fields"], name="contact_fields", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        said = self.full_name or masking.told(self.email) or masking.told(self.phone)
        return said or f"Contact {str(self.pk)[-6:]}"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class ContactPoint(ScaledModel):
    """One address of one contact on one channel. The uniqueness of addresses lives here."""

    scale = Scale.BY_VALUE
    scale_column = "address_hash"

    class Status(models.TextChoices):
        OK = "ok", "reachable"
        SOFT = "soft", "bounced softly"
        HARD = "hard", "bounced for good"
        INVALID = "invalid", "not a valid address"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="points", db_index=False)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    address = models.CharField(max_length=254)
    address_hash = models.BinaryField(max_length=32)
    hash_key_id = models.SmallIntegerField(default=1)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OK)
    is_primary = models.BooleanField(default=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address_hash", "channel"], name="one_contact_an_address"),
        ]
        indexes = [
            models.Index(fields=["contact", "channel"], name="point_contact"),
            models.Index(
                fields=["channel", "address_hash"],
                name="point_primary",
                include=["contact"],
                condition=Q(is_primary=True),
            ),
        ]

    def __str__(self) -> str:
        return self.address


class OutsideId(ScaledModel):
    """What the outside calls a thing of ours: (source, kind, external id) to the contact and row it became.

    An order that turns out to belong to another contact later is found here, so it never doubles.
    """

    scale = Scale.BY_VALUE
    scale_column = "external_id"

    source = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, help_text="customer, order, cart…")
    external_id = models.CharField(max_length=200)
    contact_id = models.UUIDField()
    object_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["external_id", "source", "kind"], name="one_row_an_outside_id"),
        ]
        indexes = [models.Index(fields=["contact_id"], name="outside_id_contact")]

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.external_id}"


class ContactChange(Fact):
    """One change of an attribute that rules use, so that *why* in the past is exact for it."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="changes", db_index=False)
    field = models.CharField(max_length=80)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    actor = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [models.Index(fields=["contact", "-occurred_at"], name="change_contact_time")]


class Engagement(ByContact):
    """When this person was last here, bought, clicked: one narrow row a contact, kept up by ingest."""

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="engagement")
    last_seen_at = models.DateTimeField(null=True, blank=True, help_text="Anything at all, on any device.")
    last_cart_at = models.DateTimeField(null=True, blank=True, help_text="Their last own change of a cart.")
    last_click_at = models.DateTimeField(null=True, blank=True)
    last_open_at = models.DateTimeField(null=True, blank=True)
    last_order_at = models.DateTimeField(null=True, blank=True)
    last_reply_at = models.DateTimeField(null=True, blank=True)
    first_order_at = models.DateTimeField(null=True, blank=True)
    order_count = models.PositiveIntegerField(default=0)
    stirred = models.BigIntegerField(
        default=0, db_default=0, help_text="The transaction that last changed what rules may ask of them."
    )
    spent = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    may_receive = ArrayField(
        models.CharField(max_length=24),
        null=True,
        default=list,
        db_default=[],
        help_text="Channel and purpose, such as email:1, where consent stands for their first address and"
        " nothing stops it. Null: not read yet.",
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["last_seen_at"], name="engagement_seen", condition=Q(last_seen_at__isnull=False)
            ),
            models.Index(fields=["last_order_at"], name="engagement_order"),
            models.Index(fields=["stirred"], name="engagement_stirred", condition=Q(stirred__gt=0)),
            models.Index(fields=["contact"], name="engagement_unread", condition=Q(may_receive__isnull=True)),
        ]
