"""How often people are written to: the shop's limits and hours, and the offers a day that are taken."""

from datetime import time, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from crm.models.base import ByContact, Scale
from crm.models.consent import Purpose
from crm.models.contacts import Channel, Contact

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# "at most one e-mail", "at most four e-mails": what one and several messages of a channel are called.
NOUNS = {
    Channel.EMAIL: ("e-mail", "e-mails"),
    Channel.SMS: ("text message", "text messages"),
    Channel.WEBPUSH: ("browser message", "browser messages"),
}


class FrequencySettings(models.Model):
    """One row: what holds for every campaign together; the marketers' to change."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    offers_a_day = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    allowed_from = models.TimeField(default=time(9))
    allowed_until = models.TimeField(default=time(20))
    answers_minutes = models.PositiveSmallIntegerField(default=30, validators=[MaxValueValidator(720)])
    look_ahead_hours = models.PositiveSmallIntegerField(default=4, validators=[MaxValueValidator(72)])
    control_percent = models.DecimalField(
        max_digits=4,
        decimal_places=1,
        default=5,
        validators=[MinValueValidator(0), MaxValueValidator(50)],
    )

    class Meta:
        verbose_name = verbose_name_plural = "frequency limits and priority"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_frequency_settings"),
            models.CheckConstraint(
                condition=Q(allowed_from__lt=F("allowed_until")), name="allowed_hours_run_forward"
            ),
        ]

    def __str__(self) -> str:
        return "Frequency limits and priority"


class ChannelLimit(models.Model):
    """At most so many messages of one channel to one person within a while; of one purpose, or of all."""

    scale = Scale.LOCAL
    scale_column = ""

    settings = models.ForeignKey(
        FrequencySettings, on_delete=models.CASCADE, default=1, related_name="limits", db_index=False
    )
    channel = models.CharField(max_length=12, choices=Channel.choices)
    purpose = models.ForeignKey(
        Purpose, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    at_most = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    within = models.DurationField()

    class Meta:
        ordering = ["channel", "within", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "purpose", "within"], name="one_limit_a_span", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(at_most__gt=0), name="limit_lets_one_through"),
            models.CheckConstraint(condition=Q(within__gt=timedelta()), name="limit_spans_time"),
        ]

    def __str__(self) -> str:
        one, several = NOUNS[Channel(self.channel)]
        number = f"one {one}" if self.at_most == 1 else f"{self.at_most} {several}"
        return f"at most {number} in {self.span}"

    @property
    def span(self) -> str:
        """The while in words: 20 hours, 7 days."""
        number, unit = (self.within // _HOUR, "hour") if self.within % _DAY else (self.within // _DAY, "day")
        return f"{number} {unit}{'' if number == 1 else 's'}"


class OfferSlot(ByContact):
    """One of the offers a person may have on one day of their own calendar, taken for one delivery.

    `held_for` is the delivery's public id. The day's beginning and end are kept as instants, so that the
    fence compares and needs no zone.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    on_date = models.DateField(help_text="The person's local date.")
    slot = models.PositiveSmallIntegerField(default=1)
    held_for = models.UUIDField()
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "on_date", "slot"], name="one_offer_a_slot"),
            models.UniqueConstraint(fields=["contact", "held_for"], name="one_slot_a_delivery"),
        ]
        indexes = [models.Index(fields=["contact", "-taken_at"], name="offer_slot_contact_time")]
