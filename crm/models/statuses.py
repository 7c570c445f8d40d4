"""Standing statuses of people, such as VIP: what one is, and who had it from when until when."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.kernel.rules import RuleField
from crm.models.base import Fact, ScaledModel
from crm.models.contacts import Contact


class Status(ScaledModel):
    """One status. A term of it lasts so many days, and is renewed where the rule is true at its end.

    `marked` is the database's transaction mark of the last look (see `crm.people.stirring`).
    """

    key = models.CharField(
        "name in messages",
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", "Small letters, digits and _, such as vip.")],
        help_text="What templates call it, such as vip: {% if status.vip %}. It stays for good.",
    )
    name = models.CharField(max_length=80, unique=True)
    good_for = models.CharField(
        "what it is good for",
        max_length=300,
        blank=True,
        help_text="Colleagues read it on the person's page: early access, a free return…",
    )
    rule = RuleField(blank=True, help_text="Who gets it by themselves. Empty: given by hand alone.")
    lasts_days = models.PositiveSmallIntegerField(
        "lasts days",
        default=365,
        validators=[MinValueValidator(1)],
        help_text="When they are over it is renewed where the rule is true, and ends where it is not.",
    )
    problem = models.TextField(blank=True, editable=False)
    refreshed_at = models.DateTimeField(null=True, blank=True, editable=False)
    swept_at = models.DateTimeField(null=True, blank=True, editable=False)
    marked = models.BigIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name_plural = "statuses"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ContactStatus(Fact):
    """One term: `occurred_at` is since when, `until` when it runs out by itself, later with each renewal.

    `ended_at` is when it did end: by running out, or sooner by a hand, which `ended_by` then names. Renewing
    comes before the end, so that whoever held it at an instant still did, whatever was renewed later.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="statuses", db_index=False)
    status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="terms", db_index=False)
    until = models.DateTimeField()
    granted_by = models.CharField(max_length=120, blank=True, help_text="Blank: the rule.")
    renewals = models.PositiveSmallIntegerField(default=0)
    renewed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=120, blank=True, help_text="Blank: it ran out.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "status"], condition=Q(ended_at__isnull=True), name="one_term_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["contact", "-occurred_at"], name="status_contact_time"),
            models.Index(
                fields=["status", "until"],
                name="status_running",
                include=["contact"],
                condition=Q(ended_at__isnull=True),
            ),
        ]
