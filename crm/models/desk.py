"""What colleagues have to do about people, and what they are told."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.models.base import ByContact, ScaledModel
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
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["contact", "-created_at"], name="task_contact_time"),
            models.Index(fields=["owner", "due_at"], name="task_open", condition=Q(done_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title


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
