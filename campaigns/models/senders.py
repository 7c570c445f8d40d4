"""Who a message is from, and the switch that holds all sending."""

from django.db import models

from crm.kernel import clock
from crm.models.base import Scale


class Sender(models.Model):
    """A person (or desk) messages come from: the From line, where replies go, the card in the message."""

    scale = Scale.LOCAL
    scale_column = ""

    name = models.CharField(
        max_length=120, help_text="As it stands in the From line, such as Mira at Hearth & Horn."
    )
    email = models.EmailField("from address")
    person = models.CharField(max_length=120, help_text="The person to reply to.")
    role = models.CharField(max_length=120, blank=True)
    reply_to = models.EmailField("replies go to")
    telephone = models.CharField(max_length=40)
    image_url = models.URLField("picture", blank=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_sender"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class SendingControl(models.Model):
    """One row, tested in every fence. A hold stops all sending at the next fence."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    sending_hold = models.BooleanField("hold all sending", default=False)
    reason = models.CharField(max_length=300, blank=True)
    held_by = models.CharField(max_length=120, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "sending control"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_control")]

    def __str__(self) -> str:
        return "held" if self.sending_hold else "open"
