"""Companies that contacts work for."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper

from crm.kernel import clock
from crm.models.base import ScaledModel


class Company(ScaledModel):
    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=253, blank=True, help_text="Such as acme.example.")
    city = models.CharField(max_length=120, blank=True, db_default="")
    country = models.CharField(max_length=2, blank=True)
    fields = models.JSONField("own fields", default=dict, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "companies"
        indexes = [
            models.Index(fields=["name"], name="company_name"),
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="company_words"),
        ]

    def __str__(self) -> str:
        return self.name
