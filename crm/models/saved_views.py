"""Filters of a list under a name."""

from django.conf import settings
from django.db import models

from crm.kernel import clock
from crm.models.base import ScaledModel


class SavedView(ScaledModel):
    """Search, filters and order of one list, for whoever saved them or for everybody who may look at it."""

    table = models.CharField("list", max_length=120, help_text="Such as crm.contact.")
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True, help_text="As the list's address has it.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    is_shared = models.BooleanField("for everybody", default=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["table", "made_by", "name"], name="one_saved_view_a_name"),
        ]
        permissions = [("share_savedview", "May save views of lists for everybody")]

    def __str__(self) -> str:
        return self.name
