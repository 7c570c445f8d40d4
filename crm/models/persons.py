"""Two people who are one, and what is done at a person's request: given out, erased."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from crm.kernel import clock
from crm.models.base import ByContact, Scale, ScaledModel
from crm.models.contacts import Contact


class Merging(ByContact):
    """Another contact became part of this one. `before` is what stood on this one, for undoing it."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="mergings", db_index=False)
    other_id = models.UUIDField(help_text="Who was merged into them.")
    other_name = models.CharField(max_length=260)
    why = models.CharField(max_length=200, blank=True)
    before = models.JSONField(default=dict)
    merged_at = models.DateTimeField(default=clock.now)
    merged_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "other_id"], condition=Q(undone_at__isnull=True), name="merged_once"
            ),
        ]
        indexes = [models.Index(fields=["contact", "-merged_at"], name="merging_contact_time")]


class MergedRows(ByContact):
    """Which rows of one table came over by a merging: their keys."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    merging = models.ForeignKey(Merging, on_delete=models.CASCADE, related_name="rows")
    kept = models.CharField(max_length=60, help_text="The table, by its key among what is kept of people.")
    ids = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["contact"], name="merged_rows_contact")]


class MergeProposal(ScaledModel):
    """Two contacts who may be one person, and why. `one` is who we have known for longer."""

    class Answer(models.TextChoices):
        MERGED = "merged", "merged"
        OTHERS = "others", "two people"

    one = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    why = ArrayField(models.CharField(max_length=60), help_text="What they have in common, by its key.")
    found_at = models.DateTimeField(default=clock.now)
    answer = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="one_proposal_a_pair"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="proposal_names_the_older_first"),
        ]
        indexes = [
            models.Index(fields=["-found_at", "-id"], name="proposal_open", condition=Q(answer="")),
        ]

    def __str__(self) -> str:
        return f"{self.one} and {self.other}"


class DataRequest(ScaledModel):
    """A person's data was given out or erased at their request: by whom, when, and how many rows of what."""

    class Kind(models.TextChoices):
        EXPORT = "export", "given out"
        ERASE = "erase", "erased"

    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.SET_NULL, related_name="data_requests", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    reference = models.CharField(max_length=200, blank=True, help_text="The request it answers.")
    counts = models.JSONField(default=dict, help_text="How many rows, by table.")
    done_at = models.DateTimeField(default=clock.now)
    done_by = models.CharField(max_length=150)

    class Meta:
        indexes = [
            models.Index(fields=["contact", "-done_at"], name="request_contact_time"),
            models.Index(fields=["-done_at", "-id"], name="request_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.done_at:%-d %B %Y}"


class Erasure(ScaledModel):
    """An address whose person was erased. After a backup is brought back they are erased again by it."""

    scale = Scale.BY_VALUE
    scale_column = "address_hash"

    address_hash = models.BinaryField(max_length=32)
    channel = models.CharField(max_length=12)
    hash_key_id = models.SmallIntegerField(default=1)
    erased_at = models.DateTimeField()
    noted_at = models.DateTimeField(
        null=True, help_text="When it was written on the list beside the database; blank: it waits for that."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address_hash", "channel"], name="one_erasure_an_address"),
        ]
        indexes = [
            models.Index(fields=["erased_at"], name="erasure_to_note", condition=Q(noted_at__isnull=True)),
        ]
