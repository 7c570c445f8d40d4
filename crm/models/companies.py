"""Companies that contacts work for."""

from django.db import models

from crm.kernel import clock
from crm.models.base import ScaledModel


class Company(ScaledModel):
    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=253, blank=True, help_text="Such as acme.example.")
    country = models.CharField(max_length=2, blank=True)
    fields = models.JSONField("own fields", default=dict, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "companies"
        indexes = [models.Index(fields=["name"], name="company_name")]

    def __str__(self) -> str:
        return self.name
