"""Segments and who is in them, as rows with their instants."""

from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.kernel.rules import RuleField
from crm.models.base import ByContact, ScaledModel
from crm.models.contacts import Contact


class Segment(ScaledModel):
    name = models.CharField(max_length=120, unique=True)
    description = models.CharField(max_length=300, blank=True)
    rule = RuleField(blank=True)
    refresh_minutes = models.PositiveIntegerField(default=60)
    size = models.PositiveIntegerField(default=0)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_seconds = models.FloatField(default=0)
    problem = models.TextField(blank=True, help_text="Why it is closed to newcomers, when it is.")
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name


class SegmentMembership(ByContact):
    """One stay of one contact in one segment; `left_at` blank while they are in."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="memberships")
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "segment"], condition=Q(left_at__isnull=True), name="one_stay_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["segment", "entered_at"], name="membership_entered")]
