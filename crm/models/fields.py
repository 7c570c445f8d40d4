"""The shop's own fields of people: what they are called and which sort of value each holds."""

from django.core.validators import RegexValidator
from django.db import models

from crm.kernel import clock
from crm.models.base import ScaledModel


class OwnField(ScaledModel):
    """One field of the shop's own. Values stand in `Contact.fields` under `key`, typed as JSON:

    text, web address, words and choice as a text, number as a number, date as "2026-11-23", yes/no as true or
    false. A person without the key has no answer.
    """

    class Type(models.TextChoices):
        TEXT = "text", "text"
        NUMBER = "number", "number"
        DATE = "date", "date"
        FLAG = "flag", "yes or no"
        CHOICE = "choice", "one of a list"
        LINK = "link", "web address"
        WORDS = "words", "several words"

    key = models.CharField(
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", "Small letters, digits and _, such as shoe_size.")],
    )
    label = models.CharField(max_length=120)
    type = models.CharField(max_length=8, choices=Type.choices, default=Type.TEXT)
    choices = models.JSONField(default=list, blank=True, help_text="For one of a list: its answers.")
    help = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=100)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["position", "label"]

    def __str__(self) -> str:
        return self.label
