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
