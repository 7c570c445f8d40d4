"""What waits to join another message, and what joined one."""

from django.db import models

from crm.models.base import Scale
from crm.models.consent import Purpose
from crm.models.contacts import Channel


class Joining(models.Model):
    """What a run that lost its moment has to say, where its products may come along in another message to the
    same person. Local, small, one a run.

    It counts only while its run still waits at that place (`Due.waits_at`). `joined` is the public id of the
    message that was made with it, under the lease `lease_seen`: made anew, the message has to take it in
    anew. From `channel` to `not_after` the names are those of `Delivery`, so that guards ask both the same.
    """

    scale = Scale.LOCAL
    scale_column = ""

    enrolment_id = models.UUIDField(primary_key=True)
    place = models.CharField(max_length=60, help_text="Step and visit at which the run waits.")
    campaign = models.ForeignKey(
        "campaigns.Campaign", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    template = models.ForeignKey(
        "campaigns.Template", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    channel = models.CharField(max_length=12, choices=Channel.choices, default=Channel.EMAIL)
    contact_id = models.UUIDField()
    address_hash = models.BinaryField(max_length=32)
    purpose = models.ForeignKey(Purpose, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject_kind = models.CharField(max_length=20, blank=True)
    subject_id = models.UUIDField(null=True)
    since = models.DateTimeField(null=True, help_text="Any order placed since then ends it.")
    cart_token = models.CharField(max_length=100, blank=True)
    checkout_id = models.CharField(max_length=100, blank=True)
    not_after = models.DateTimeField(null=True)
    joined = models.UUIDField(null=True)
    lease_seen = models.BigIntegerField(null=True)
    shows = models.JSONField(default=list, help_text="The names of the products it brings.")

    class Meta:
        indexes = [
            models.Index(fields=["contact_id"], name="joining_contact"),
            models.Index(fields=["joined"], name="joining_joined", condition=models.Q(joined__isnull=False)),
        ]
