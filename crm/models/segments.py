"""Segments and who is in them, as rows with their instants."""

from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.kernel.rules import RuleField
from crm.models.base import ByContact, Scale, ScaledModel
from crm.models.contacts import Contact


class Segment(ScaledModel):
    """People of whom a rule is true, kept up by itself; or a fixed list that changes only by hand.

    `marked` is the database's transaction mark of the last refresh: whoever was stirred from there on may
    have changed sides since (see `crm.people.stirring`).
    """

    class Kind(models.TextChoices):
        DYNAMIC = "dynamic", "kept up by a rule"
        FIXED = "fixed", "a fixed list"

    name = models.CharField(max_length=120, unique=True)
    description = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.DYNAMIC, db_default=Kind.DYNAMIC)
    rule = RuleField(blank=True)
    interval = models.ForeignKey(
        "django_celery_beat.IntervalSchedule",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    crontab = models.ForeignKey(
        "django_celery_beat.CrontabSchedule",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    size = models.PositiveIntegerField(default=0)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="The next whole refresh; blank: at once.")
    swept_at = models.DateTimeField(null=True, blank=True, help_text="When changes were last looked at.")
    marked = models.BigIntegerField(default=0, db_default=0)
    refresh_seconds = models.FloatField(default=0)
    problem = models.TextField(blank=True, help_text="Why it is closed to newcomers, when it is.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(interval__isnull=True) | Q(crontab__isnull=True), name="one_schedule_a_segment"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMembership(ByContact):
    """One stay of one contact in one segment; `left_at` blank while they are in."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # A refresh reads who is in off this index alone.
            models.UniqueConstraint(
                fields=["segment", "contact"],
                include=["id"],
                condition=Q(left_at__isnull=True),
                name="one_stay_in_a_segment",
            ),
        ]
        indexes = [
            models.Index(fields=["segment", "entered_at"], name="membership_entered"),
            models.Index(
                fields=["segment", "left_at"], name="membership_left", condition=Q(left_at__isnull=False)
            ),
        ]


class SegmentSize(models.Model):
    """How many were in a segment after a refresh that changed it, and the first one of each day."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes", db_index=False)
    at = models.DateTimeField()
    size = models.PositiveIntegerField()
    entered = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "at"], name="one_size_an_instant")]
