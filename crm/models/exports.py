"""Lists that leave as files: who took what, how many rows, by which filters. The rows stay for ever."""

from datetime import timedelta

from django.conf import settings
from django.db import models

from crm.kernel import clock
from crm.models.base import ScaledModel


class Export(ScaledModel):
    """One list on its way into a file. `done`, `keys_at` and `file_at` are the place it reached: keys of the
    list that are dealt with, bytes read of the file of keys, bytes written of the file of rows. They are
    written in the transaction of the batch that did it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "waits for a worker"
        RUNNING = "running", "is being made"
        DONE = "done", "is ready"
        EXPIRED = "expired", "is deleted: its time was over"
        STOPPED = "stopped", "was stopped"
        FAILED = "failed", "failed"

    class Format(models.TextChoices):
        CSV = "csv", "CSV, for any program"
        XLSX = "xlsx", "XLSX, for Excel and its like"

    BUSY = (Status.WAITING, Status.RUNNING)
    KEPT = timedelta(hours=24)

    table = models.CharField(max_length=120, help_text="The table, such as crm.contact.")
    title = models.CharField("what", max_length=120)
    query = models.TextField(blank=True, help_text="Filters and search, as the list's address has them.")
    told = models.TextField("filters", blank=True, help_text="The same in words.")
    columns = models.JSONField(default=list, help_text="Keys of the columns, in their order.")
    format = models.CharField(max_length=4, choices=Format.choices, default=Format.CSV)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_by_name = models.CharField("by", max_length=150, help_text="Stays when the user is deleted.")
    created_at = models.DateTimeField("asked for", default=clock.now)
    password_at = models.DateTimeField(null=True, blank=True, help_text="When their password was fresh.")
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    total = models.BigIntegerField(default=0, help_text="Rows of the list when it was begun.")
    done = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0, help_text="Rows of the file.")
    size = models.BigIntegerField(default=0, help_text="Bytes of the file.")
    keys_at = models.BigIntegerField(default=0)
    file_at = models.BigIntegerField(default=0)
    downloads = models.PositiveIntegerField(default=0)
    downloaded_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("export_contacts", "May take lists away as files")]

    def __str__(self) -> str:
        return f"{self.title}, {self.told or 'all'}"
