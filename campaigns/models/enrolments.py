"""People in a flow, and the small table of who is due."""

from django.db import models

from crm.models.base import ByContact, Scale
from crm.models.contacts import Contact


class Enrolment(ByContact):
    """One run of one contact through one campaign. `entry` says once of what: a cart, a month, ever."""

    class Arm(models.TextChoices):
        TREATMENT = "treatment", "treated"
        CONTROL = "control", "control group"

    class State(models.TextChoices):
        ACTIVE = "active", "in the flow"
        FINISHED = "finished", "reached the end"
        LEFT = "left", "left early"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="enrolments", db_index=False)
    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.PROTECT, related_name="enrolments")
    version = models.ForeignKey("campaigns.FlowVersion", on_delete=models.PROTECT, related_name="+")
    entry = models.CharField(max_length=200)
    subject_kind = models.CharField(max_length=20, blank=True, help_text="cart, order, delivery…")
    subject_id = models.UUIDField(null=True, blank=True)
    arm = models.CharField(max_length=10, choices=Arm.choices, default=Arm.TREATMENT)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    step_position = models.PositiveSmallIntegerField(default=0, help_text="The step they are at.")
    arrived_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when they are at that step; waits count from it."
    )
    path = models.CharField(max_length=40, blank=True)
    visit = models.PositiveSmallIntegerField(default=1, help_text="Counts loops through a step.")
    qualified_at = models.DateTimeField(help_text="The due moment that let them in; lift counts from it.")
    entered_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    left_reason = models.CharField(max_length=60, blank=True)
    goal_at = models.DateTimeField(
        null=True, blank=True, help_text="When the campaign's goal was first seen to be reached."
    )
    is_test = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "campaign", "entry"], name="one_enrolment_an_entry"),
        ]
        indexes = [
            models.Index(fields=["campaign", "state", "step_position"], name="enrolment_in_step"),
            models.Index(fields=["contact", "-entered_at"], name="enrolment_contact_time"),
        ]


class Due(models.Model):
    """When an active enrolment moves next. Local, small, claimed by lock; gone when the enrolment ends."""

    scale = Scale.LOCAL
    scale_column = ""

    enrolment_id = models.UUIDField(primary_key=True)
    contact_id = models.UUIDField()
    campaign = models.ForeignKey(
        "campaigns.Campaign", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    due_at = models.DateTimeField()
    problem = models.TextField(blank=True, help_text="Parked: why it could not be advanced.")
    waits_at = models.CharField(
        max_length=60, blank=True, db_default="", help_text="Step and visit at which the gate made it wait."
    )
    waits_since = models.DateTimeField(null=True, help_text="When it was due there; lateness counts from it.")
    waits_for = models.CharField(
        max_length=100, blank=True, db_default="", help_text="What it waits for, so that it is told once."
    )

    class Meta:
        indexes = [
            models.Index(fields=["contact_id", "due_at"], name="due_contact"),
            models.Index(fields=["campaign", "due_at", "enrolment_id"], name="due_of_campaign"),
        ]
