"""Where a click leads: stored once, found by id inside a signed token, never taken from a request."""

from django.db import models

from crm.kernel import clock
from crm.models.base import Scale


class Link(models.Model):
    scale = Scale.LOCAL
    scale_column = ""

    id = models.BigAutoField(primary_key=True)
    url = models.CharField(max_length=2000)
    sha256 = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.url
