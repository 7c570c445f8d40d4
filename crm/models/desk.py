"""What colleagues have to do about people, what they said with them, and what they are told."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from crm.kernel import clock
from crm.models.base import ByContact, Fact, ScaledModel
from crm.models.contacts import Contact


class Task(ByContact):
    """Something one colleague has to do about one contact."""

    class Kind(models.TextChoices):
        TODO = "todo", "to do"
        HAND_OVER = "hand_over", "lead handed over"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.TODO)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    reminded_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When its owner was told that it is due."
    )
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["contact", "-created_at"], name="task_contact_time"),
            models.Index(fields=["owner", "due_at"], name="task_open", condition=Q(done_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title


class Note(Fact):
    """What a colleague wrote down of a person: a note, what was said in a call, a meeting or a message that
    did not go through here, or learned.
    """

    class Kind(models.TextChoices):
        NOTE = "note", "note"
        CALL = "call", "call"
        MEETING = "meeting", "meeting"
        MESSAGE = "message", "message elsewhere"
        LEARNED = "learned", "what we learned"

    class Outcome(models.TextChoices):
        REACHED = "reached", "spoke with them"
        NOT_REACHED = "not_reached", "nobody answered"
        MESSAGE = "message", "left a message"
        LATER = "later", "call again later"
        WRONG_NUMBER = "wrong_number", "wrong number"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="notes", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.NOTE)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    body = models.TextField(blank=True)
    author = models.CharField(max_length=150)

    class Meta:
        indexes = [models.Index(fields=["contact", "-occurred_at"], name="note_contact_time")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.body}"[:80]


class MarketingPause(Fact):
    """No marketing to this person from `occurred_at` until `until`: a colleague speaks with them, or they
    asked for a rest.

    `ended_at` is when it was over: by itself, or sooner by a hand. A longer pause ends this one and begins
    anew, so that what held at an instant is never rewritten.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="pauses", db_index=False)
    until = models.DateTimeField()
    why = models.CharField(max_length=200, blank=True)
    spares = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        blank=True,
        help_text="Keys of the purposes of which marketing goes on.",
    )
    by = models.CharField(max_length=150, blank=True, help_text="Blank: the person themselves.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact"], condition=Q(ended_at__isnull=True), name="one_pause_at_a_time"
            ),
            models.CheckConstraint(condition=Q(until__gt=F("occurred_at")), name="pause_ends_after_it_began"),
        ]
        indexes = [models.Index(fields=["contact", "-occurred_at"], name="pause_contact_time")]

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d} to {self.until:%Y-%m-%d}"


class Notice(ScaledModel):
    """Tell this colleague, once. Written here, delivered by the app that sends."""

    key = models.CharField(max_length=200, unique=True, help_text="What makes it once: a lead and its move.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    contact_id = models.UUIDField(null=True, blank=True)
    subject = models.CharField(max_length=200)
    body = models.TextField(help_text="Plain text; the page to open is added below it.")
    path = models.CharField(max_length=300, blank=True, help_text="The admin's page to open, from / on.")
    created_at = models.DateTimeField(default=clock.now)
    handed_at = models.DateTimeField(null=True, blank=True, help_text="When it became a delivery.")
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="notice_waiting", condition=Q(handed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.subject
