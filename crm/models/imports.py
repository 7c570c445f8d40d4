"""Spreadsheets that come in: a file with what was decided about it, its rows, what columns meant before."""

from django.conf import settings
from django.db import models

from crm.kernel import clock
from crm.models.base import Scale, ScaledModel


class Import(ScaledModel):
    """One file on its way in. `cursor` is the row up to which the work in hand is done: it is written in the
    transaction of the batch that did it.
    """

    class Status(models.TextChoices):
        SEEN = "seen", "waits for its columns"
        CHECKING = "checking", "is being checked"
        CHECKED = "checked", "checked, nothing has come in"
        RUNNING = "running", "is coming in"
        DONE = "done", "came in"
        CANCELLED = "cancelled", "stopped half-way"
        UNDOING = "undoing", "is being undone"
        UNDONE = "undone", "undone"
        FAILED = "failed", "failed"

    BUSY = (Status.CHECKING, Status.RUNNING, Status.UNDOING)
    UNDOABLE = (Status.DONE, Status.CANCELLED)

    subject = models.CharField(max_length=60, help_text="What its rows are: the key of a subject.")
    name = models.CharField("file", max_length=200)
    size = models.BigIntegerField(default=0, help_text="Bytes.")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.SEEN)
    look = models.JSONField(default=dict, help_text="What we saw in the file.")
    mapping = models.JSONField(default=dict, help_text="Column, counted from 0, to what it is.")
    options = models.JSONField(default=dict, help_text="The answers of the subject's form, as typed.")
    consent = models.JSONField(default=dict, help_text="What was attested of consent; empty: none comes in.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now)
    began_at = models.DateTimeField(null=True, blank=True, help_text="When the work in hand began.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When the last work ended.")
    cursor = models.BigIntegerField(default=0)
    is_read = models.BooleanField(default=False, help_text="The whole file stands in the rows.")
    is_cleared = models.BooleanField(default=False, help_text="File and rows are deleted: nothing to undo.")
    total = models.BigIntegerField(default=0, help_text="Rows of the file.")
    last_row = models.BigIntegerField(default=0, help_text="The number of the last row.")
    new = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    further = models.BigIntegerField(
        default=0, db_default=0, help_text="Rows that go on with what another row begins."
    )
    refused = models.BigIntegerField(default=0)
    made = models.BigIntegerField(default=0, help_text="So many were really made.")
    updated = models.BigIntegerField(default=0, help_text="So many were really changed.")
    undone = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0, help_text="So many an undo left, because they lived on since.")
    mailable = models.JSONField(default=dict, help_text="By purpose: how many may be written to, and would.")
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("import_contacts", "May bring in spreadsheets and undo them")]

    def __str__(self) -> str:
        return self.name


class ImportRow(models.Model):
    """One row of a file: what it says, whose it is, what it would do, and what was there before it did.

    The file it belongs to and its number in it are its key. Rows go with their file.
    """

    scale = Scale.LOCAL
    scale_column = ""

    class Verdict(models.TextChoices):
        NEW = "new", "new"
        CHANGED = "changed", "changed"
        UNCHANGED = "unchanged", "unchanged"
        FURTHER = "further", "further lines"
        REFUSED = "refused", "refused"

    pk = models.CompositePrimaryKey("run_id", "number")
    run = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="rows", db_index=False, db_constraint=False
    )
    number = models.BigIntegerField(help_text="As a person counts the rows of the file.")
    told = models.JSONField(default=dict, help_text="What it says, by target; blanks are left out.")
    email_hash = models.BinaryField(max_length=32, null=True)
    phone_hash = models.BinaryField(max_length=32, null=True)
    # Nothing said is null, so that the many rows without take no room and join with nothing.
    space = models.CharField(max_length=40, null=True)  # noqa: DJ001
    outside_id = models.CharField(max_length=200, null=True)  # noqa: DJ001
    verdict = models.CharField(max_length=9, null=True)  # noqa: DJ001
    reason = models.TextField(null=True, help_text="Why refused, or what is left out.")  # noqa: DJ001
    cells = models.JSONField(default=list, help_text="Its cells as typed, of refused rows alone.")
    object_id = models.UUIDField(null=True, help_text="What it is, or will be.")
    before = models.JSONField(null=True, help_text="What stood there before it was applied.")

    class Meta:
        indexes = [
            models.Index(
                fields=["run", "number"],
                name="import_refused",
                condition=models.Q(verdict="refused"),
            ),
        ]


class ColumnMeaning(ScaledModel):
    """What a heading meant the last time: offered again for the next file."""

    subject = models.CharField(max_length=60)
    heading = models.CharField(max_length=200)
    target = models.CharField(max_length=120, blank=True)
    used_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "heading"], name="one_meaning_a_heading"),
        ]

    def __str__(self) -> str:
        return f"{self.heading}: {self.target}"
