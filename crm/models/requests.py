"""What people ask of us about their data, by when it is to be answered, and who did what about it."""

from django.db import models
from django.db.models import F, Q

from crm.kernel import clock
from crm.kernel.requests import request_kinds
from crm.models.base import ScaledModel
from crm.models.contacts import Contact


class PersonRequest(ScaledModel):
    """One thing one person asked for. Once they are erased, of whom it was is only the keyed hash of an
    address.
    """

    class Way(models.TextChoices):
        EMAIL = "email", "by e-mail"
        PHONE = "phone", "by telephone"
        LETTER = "letter", "by letter"
        PERSON = "person", "in person"
        OTHER = "other", "by another way"

    class State(models.TextChoices):
        OPEN = "open", "to answer"
        WAITING = "waiting", "waits for proof of who they are"
        ANSWERED = "answered", "answered"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn by them"
        ERASED = "erased", "closed, the person was erased"

    TO_DO = (State.OPEN, State.WAITING)

    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="requests", db_index=False
    )
    address_hash = models.BinaryField(max_length=32, null=True, editable=False)
    hash_key_id = models.SmallIntegerField(default=1, editable=False)
    kind = models.CharField(max_length=60)
    received_at = models.DateTimeField(default=clock.now)
    way = models.CharField(max_length=8, choices=Way.choices, default=Way.EMAIL)
    words = models.TextField(max_length=2000, blank=True, help_text="What they wrote or said.")
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=150)
    identity = models.CharField(max_length=300, blank=True, help_text="How it was seen that it is they.")
    due_at = models.DateTimeField(help_text="The end of the last day on which it can be answered in time.")
    extended_at = models.DateTimeField(null=True, blank=True)
    extended_why = models.CharField(max_length=500, blank=True, help_text="As the person was told.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was refused, as they were told.")
    reminded_days = models.SmallIntegerField(
        null=True, editable=False, help_text="So many days before it is due colleagues were told last."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "request"
        # Who answers requests sees them, by a permission of its own; others can pass one on.
        default_permissions = ("add",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=("open", "waiting"), ended_at__isnull=True)
                | (~Q(state__in=("open", "waiting")) & Q(ended_at__isnull=False)),
                name="request_ended_has_its_moment",
            ),
            models.CheckConstraint(condition=Q(due_at__gt=F("received_at")), name="request_due_later"),
        ]
        indexes = [
            models.Index(fields=["contact"], name="person_request_contact"),
            models.Index(fields=["due_at"], name="person_request_due", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["-ended_at", "due_at", "id"], name="person_request_order"),
        ]

    def __str__(self) -> str:
        return f"{self.kind_label}, received {self.received_at:%-d %B %Y}"

    @property
    def kind_label(self) -> str:
        """What they asked for, in words; the key of a kind that is gone."""
        return request_kinds.get(self.kind).label if self.kind in request_kinds else self.kind

    @property
    def is_to_do(self) -> bool:
        return self.state in self.TO_DO


class RequestLine(ScaledModel):
    """Who did what about a request, when. Lines are only ever added; erasing the person takes their words."""

    request = models.ForeignKey(PersonRequest, on_delete=models.CASCADE, related_name="lines", db_index=False)
    what = models.CharField(max_length=20)
    words = models.TextField(max_length=2000, blank=True)
    at = models.DateTimeField(default=clock.now)
    by = models.CharField(max_length=150)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["request", "at", "id"], name="request_line_time")]

    def __str__(self) -> str:
        return f"{self.what} on {self.at:%-d %B %Y}"
