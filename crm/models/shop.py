"""The shop's own settings, asked once on the first-run page, and the slots of the schedule."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from crm.kernel import clock
from crm.models.base import Scale, ScaledModel


class ShopSettings(models.Model):
    """One row. What every message and page needs to know of the shop."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=120, default="My shop")
    url = models.URLField("web address", blank=True, help_text="The shop's own front page.")
    currency = models.CharField(
        max_length=3, default="EUR", validators=[RegexValidator(r"^[A-Z]{3}$", "Three capitals such as EUR.")]
    )
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Such as Europe/Berlin.")
    postal_address = models.TextField(blank=True, help_text="Stands in every message, as the law asks.")
    telephone = models.CharField(max_length=40, blank=True)
    opening_hours = models.CharField(max_length=120, blank=True, help_text="When the telephone is answered.")
    logo_url = models.URLField("logo", blank=True)
    colour = models.CharField(
        max_length=7, default="#1f6f5c", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "Such as #1f6f5c.")]
    )
    allowed_origins = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Sites the script may report from.",
    )
    ingest_key = models.CharField(
        max_length=60, blank=True, help_text="Public, write-only key of the script."
    )
    cart_restore_url = models.URLField(
        "cart page that restores",
        blank=True,
        help_text="The shop's page that brings a cart back from ?token=…",
    )
    tracking_needs_consent = models.BooleanField(
        default=True, help_text="Opens and clicks are only tracked where a person agreed to it."
    )
    is_sample = models.BooleanField(default=False)
    set_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "shop settings"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_shop")]

    def __str__(self) -> str:
        return self.name


class ServerKey(ScaledModel):
    """A key of the server API, kept as a hash; shown once when made."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    sha256 = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class ScheduleSlot(models.Model):
    """A run of a scheduled task that somebody has taken: beat started twice is harmless."""

    scale = Scale.LOCAL
    scale_column = ""

    pk = models.CompositePrimaryKey("task", "slot")
    task = models.CharField(max_length=100)
    slot = models.DateTimeField()


class Heartbeat(models.Model):
    """When each part of the program last worked, and what its last failure was."""

    scale = Scale.LOCAL
    scale_column = ""

    name = models.CharField(max_length=60, primary_key=True)
    beat_at = models.DateTimeField()
    did = models.PositiveIntegerField(default=0, help_text="Rows the last run worked on.")
    seconds = models.FloatField(default=0)
    error = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True, blank=True)
