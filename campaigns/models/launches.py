"""A launch that somebody asked for and a second person has to approve."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from crm.kernel import clock
from crm.models.base import Scale


class LaunchRequest(models.Model):
    """One launch to very many people, as it was asked for: who asked when, and who answered it how and when.
    `seal` says what stood in the campaign then: changed since, the request is void. Names stay when people
    leave.
    """

    scale = Scale.LOCAL
    scale_column = ""

    class State(models.TextChoices):
        OPEN = "open", "asked to launch"
        APPROVED = "approved", "approved"
        SENT_BACK = "sent_back", "sent back"
        WITHDRAWN = "withdrawn", "withdrawn"
        VOID = "void", "void: it was changed"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="launch_requests")
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    asked_by = models.CharField(max_length=150, help_text="As they are called; stays when they leave.")
    asked_at = models.DateTimeField(default=clock.now)
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="Who had changed the campaign last when it was asked for.",
    )
    seal = models.CharField(max_length=64)
    people = models.PositiveIntegerField(null=True, help_text="Blank: it could not be counted.")
    existing_a_day = models.PositiveIntegerField(null=True)
    answerer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    answered_by = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=300, blank=True, help_text="Why it was sent back.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], name="one_open_launch_request", condition=Q(state="open")
            ),
            models.CheckConstraint(
                name="nobody_approves_their_own_launch",
                condition=~Q(state="approved", asker=models.F("answerer"))
                & ~Q(state="approved", editor=models.F("answerer")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign}, asked by {self.asked_by}"
