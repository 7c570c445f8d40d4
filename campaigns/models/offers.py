"""Offers: what the site has on or our messages may give; and the coupons people hold of them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from crm.kernel import clock
from crm.models.base import Scale
from crm.models.catalogue import Product


def _percent(default: str, help_text: str) -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(default),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=help_text,
    )


class OfferSettings(models.Model):
    """One row: what the discount guard holds every offer to. `version` grows with each change of an offer or
    of this row, so that a message made before the change is made anew.
    """

    scale = Scale.LOCAL
    scale_column = ""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    margin_floor = _percent("15", "Least share of the reduced price, in percent, that has to be margin.")
    deepest_without_cost = _percent("25", "Largest reduction, in percent, where a product's cost is unknown.")
    full_price_days = models.PositiveSmallIntegerField(default=14)
    quiet_days = models.PositiveSmallIntegerField(default=30)
    ladder_days = models.PositiveSmallIntegerField(default=180)
    hunter_percent = models.PositiveSmallIntegerField(default=70, validators=[MaxValueValidator(100)])
    hunter_orders = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1)])
    version = models.PositiveBigIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "discount guard"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_offer_settings")]

    def __str__(self) -> str:
        return "Discount guard"


class OfferQuerySet(models.QuerySet["Offer"]):
    def running(self, now: datetime) -> OfferQuerySet:
        """Those that are on at `now`."""
        return self.filter(is_running(now))


def is_running(now: datetime, of: str = "") -> Q:
    """Whether the offer is on at `now`; `of` is the way to it, such as "offer__"."""
    begun = Q(**{f"{of}starts_at__isnull": True}) | Q(**{f"{of}starts_at__lte": now})
    going = Q(**{f"{of}ends_at__isnull": True}) | Q(**{f"{of}ends_at__gt": now})
    return Q(**{f"{of}is_active": True}) & begun & going


class Offer(models.Model):
    """Something off: how much, on what, from when to when, where it is good, and by which code."""

    scale = Scale.LOCAL
    scale_column = ""

    class Kind(models.TextChoices):
        PERCENT = "percent", "percent off"
        AMOUNT = "amount", "an amount off"
        FREE_SHIPPING = "free_shipping", "free shipping"
        GIFT = "gift", "a gift"

    class On(models.TextChoices):
        EVERYTHING = "everything", "everything"
        CATEGORY = "category", "one category"
        BRAND = "brand", "one brand"
        PRODUCTS = "products", "certain products"

    class Place(models.TextChoices):
        SITE = "site", "on the site, for everybody"
        MESSAGES = "messages", "only in our messages"

    class Codes(models.TextChoices):
        NONE = "none", "no code is needed"
        SHARED = "shared", "one code for everybody"
        SINGLE = "single", "a code of their own for each person"

    class Rung(models.IntegerChoices):
        SMALL = 1, "1: a small thing, such as free shipping"
        DISCOUNT = 2, "2: a discount"
        BEST = 3, "3: the best we give"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=13, choices=Kind.choices, default=Kind.PERCENT)
    value = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Percent, or an amount in the shop's currency.",
    )
    gift = models.CharField(max_length=120, blank=True)
    on = models.CharField(max_length=10, choices=On.choices, default=On.EVERYTHING)
    category = models.CharField(max_length=200, blank=True)
    brand = models.CharField(max_length=120, blank=True)
    products = models.ManyToManyField(Product, through="campaigns.OfferProduct", related_name="+", blank=True)
    minimum = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    place = models.CharField(max_length=8, choices=Place.choices, default=Place.MESSAGES)
    codes = models.CharField(max_length=6, choices=Codes.choices, default=Codes.SINGLE)
    shared_code = models.CharField(max_length=80, blank=True)
    code_source = models.CharField(max_length=60, blank=True)
    code_params = models.JSONField(default=dict, blank=True)
    keep_ready = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(100_000)])
    good_for_hours = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    may_beat_site = models.BooleanField(default=False)
    first_time_only = models.BooleanField(default=False)
    for_status = models.ForeignKey(
        "crm.Status", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    skip_hunters = models.BooleanField(default=False)
    rung = models.PositiveSmallIntegerField(choices=Rung.choices, default=Rung.DISCOUNT)
    follows_ladder = models.BooleanField(default=True)
    source_problem = models.CharField(max_length=300, blank=True, editable=False)
    source_problem_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = OfferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["free_shipping", "gift"]) | Q(value__gt=0),
                name="offer_is_worth_something",
            ),
            models.CheckConstraint(
                condition=~Q(kind="percent") | Q(value__lte=100), name="offer_at_most_all"
            ),
            models.CheckConstraint(
                condition=~Q(codes="shared") | ~Q(shared_code=""), name="offer_has_its_shared_code"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True)
                | Q(starts_at__isnull=True)
                | Q(ends_at__gt=models.F("starts_at")),
                name="offer_begins_before_it_ends",
            ),
            models.UniqueConstraint(
                Upper("shared_code"), condition=~Q(shared_code=""), name="one_offer_a_shared_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_private(self) -> bool:
        """Only our messages have it: the ladder and its like ask of such offers alone."""
        return self.place == self.Place.MESSAGES

    def runs(self, now: datetime) -> bool:
        """Whether it is on at `now`."""
        begun = self.starts_at is None or self.starts_at <= now
        return self.is_active and begun and (self.ends_at is None or self.ends_at > now)


class OfferProduct(models.Model):
    """One of the certain products an offer is on."""

    scale = Scale.LOCAL
    scale_column = ""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="listed")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["offer", "product"], name="one_product_an_offer")]

    def __str__(self) -> str:
        return str(self.product)


class Coupon(models.Model):
    """One person's hold of an offer, by a code of their own, the shared code, or none; or a code nobody has
    yet. A single-use code is one row for ever, whoever holds it.

    `orders_seen`, `goods_price` and `version_seen` are what the guard's last verdict rested upon, and
    `lease_seen` the lease under which the message was made from it; the fence compares them. `held_for` is
    the public id of the delivery that carries it, the latest one where several do. `enrolment_id` is the run
    it was set aside for: whatever messages of that run give the offer show this code.
    """

    scale = Scale.LOCAL
    scale_column = ""

    class State(models.TextChoices):
        FREE = "free", "free"
        RESERVED = "reserved", "reserved"
        SHOWN = "shown", "shown"
        USED = "used", "used"
        EXPIRED = "expired", "expired"

    id = models.BigAutoField(primary_key=True)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="coupons", db_index=False)
    code = models.CharField(max_length=80, blank=True)
    is_single = models.BooleanField(default=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.FREE)
    contact_id = models.UUIDField(null=True)
    held_for = models.UUIDField(null=True, unique=True)
    enrolment_id = models.UUIDField(null=True)
    good_until = models.DateTimeField(null=True, help_text="The code's own end, where the shop names one.")
    expires_at = models.DateTimeField(null=True, help_text="Until when its holder may use it.")
    reserved_at = models.DateTimeField(null=True)
    shown_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    order_id = models.UUIDField(null=True)
    next_order = models.BooleanField(default=False, help_text="Offered as something off the next order.")
    rests_on = models.ForeignKey(Offer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    version_seen = models.PositiveBigIntegerField(default=0)
    orders_seen = models.PositiveIntegerField(default=0)
    lease_seen = models.BigIntegerField(null=True)
    goods_price = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(Upper("code"), condition=Q(is_single=True), name="one_row_a_single_code"),
            models.CheckConstraint(
                condition=Q(is_single=False) | ~Q(code=""), name="a_single_coupon_has_a_code"
            ),
            models.CheckConstraint(
                condition=~Q(state="free") | Q(contact_id__isnull=True, held_for__isnull=True),
                name="a_free_coupon_is_nobodys",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["free", "used", "expired"]) | Q(contact_id__isnull=False),
                name="a_held_coupon_is_somebodys",
            ),
        ]
        indexes = [
            models.Index(fields=["offer", "state", "id"], name="coupon_offer_state"),
            models.Index(fields=["contact_id", "-reserved_at"], name="coupon_contact_time"),
            models.Index(fields=["id"], name="coupon_reserved", condition=Q(state="reserved")),
            models.Index(
                fields=["expires_at"],
                name="coupon_expiry",
                condition=Q(state__in=["free", "reserved", "shown"]),
            ),
            models.Index(Upper("code"), name="coupon_code"),
        ]

    def __str__(self) -> str:
        return self.code or "no code"
