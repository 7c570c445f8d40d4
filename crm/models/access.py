"""Colleagues and their passwords, beyond what Django keeps of them."""

from django.conf import settings
from django.db import models

from crm.models.base import Scale


class PasswordTries(models.Model):
    """How often the password of an account was typed since when, and was not right."""

    scale = Scale.LOCAL
    scale_column = ""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    tries = models.PositiveIntegerField()
    since = models.DateTimeField()


class ExportLimit(models.Model):
    """How much of lists the people of a group may take away as files; what is blank has no limit."""

    scale = Scale.LOCAL
    scale_column = ""

    group = models.OneToOneField("auth.Group", on_delete=models.CASCADE, primary_key=True, related_name="+")
    rows = models.PositiveIntegerField(
        "rows of one export", null=True, blank=True, help_text="At most. Blank: no limit."
    )
    rows_a_day = models.PositiveIntegerField(
        "rows in 24 hours",
        null=True,
        blank=True,
        help_text="At most, of all lists together. Blank: no limit.",
    )

    class Meta:
        verbose_name = "limit on exports"
        verbose_name_plural = "limits on exports"

    def __str__(self) -> str:
        return f"Limit of {self.group}"


class Sight(models.Model):
    """Whom the people of a group get to see, and how they see addresses."""

    scale = Scale.LOCAL
    scale_column = ""

    class People(models.TextChoices):
        EVERYBODY = "everybody", "everybody"
        UNOWNED = "unowned", "their own people, and nobody's"
        OWN = "own", "their own people"

    class Addresses(models.TextChoices):
        WHOLE = "whole", "whole"
        LISTS = "lists", "masked in lists, whole on the page of a person"
        NEVER = "never", "masked everywhere"

    group = models.OneToOneField("auth.Group", on_delete=models.CASCADE, primary_key=True, related_name="+")
    people = models.CharField(
        max_length=9,
        choices=People.choices,
        default=People.EVERYBODY,
        db_default=People.EVERYBODY,
        help_text="Their own: people whose owner they are, or of whom they have an open lead, a hand-over to"
        " answer or a task to do; and those of colleagues for whom they stand in.",
    )
    addresses = models.CharField(
        max_length=8,
        choices=Addresses.choices,
        default=Addresses.WHOLE,
        help_text="E-mail addresses and telephone numbers of people. Masked: a•••@d•••.example, found by the"
        " whole address alone. Files of lists have them whole.",
    )

    class Meta:
        verbose_name = "sight of people"
        verbose_name_plural = "sights of people"

    def __str__(self) -> str:
        return f"Sight of {self.group}"
