"""What every table that grows with people has in common: keys made here, and its scale class."""

from typing import Any

from django.db import models

from crm.kernel import clock, ids


class Scale:
    """How a table spreads when one database is not enough; `manage.py scale check` holds each to its rules.

    BY_CONTACT: keyed by UUIDv7, every other unique key carries the contact, no identity column, no trigger.
    BY_VALUE: spread by a value (an address hash, an outside id); every other unique key carries that column.
    LOCAL: stays on the coordinator: queues, configuration, control.
    """

    BY_CONTACT = "by_contact"
    BY_VALUE = "by_value"
    LOCAL = "local"


class ScaledModel(models.Model):
    """A table with a UUIDv7 key made in Python. `scale` and `scale_column` say how it spreads."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)

    class Meta:
        abstract = True


class ByContact(ScaledModel):
    """A row that belongs to one contact and lives on that contact's shard."""

    scale = Scale.BY_CONTACT
    scale_column = "contact_id"

    class Meta:
        abstract = True

    def _do_update(self, base_qs: Any, using: Any, pk_val: Any, values: Any, *rest: Any) -> Any:
        """Keep the contact out of SET: a distribution column cannot be written, and never changes here."""
        contact_id = getattr(self, "contact_id", None)
        if contact_id is not None:
            base_qs = base_qs.filter(contact_id=contact_id)
            values = [value for value in values if value[0].attname != "contact_id"]
        return super()._do_update(base_qs, using, pk_val, values, *rest)


class Fact(ByContact):
    """Something that happened to a contact: when it happened, and when we came to know of it.

    A backfill (import, sample year, replay) is known as of when it happened and is marked as one.
    """

    occurred_at = models.DateTimeField(default=clock.now, help_text="When it happened.")
    recorded_at = models.DateTimeField(default=clock.now, help_text="When we came to know of it.")
    is_backfill = models.BooleanField(default=False, help_text="Loaded later from history.")

    class Meta:
        abstract = True
