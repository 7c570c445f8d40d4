"""Changes of the attributes that rules use, a row each, so that a rule can ask what they were."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Func, JSONField, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Coalesce

from crm.models import Contact, ContactChange

RULED = ("language", "country", "time_zone", "tags", "fields")


def note(before: Contact, after: Contact, now: datetime, *, actor: str) -> list[ContactChange]:
    """Remember what was changed by hand, called by whoever saves a contact."""
    changes = [
        ContactChange(
            contact=after,
            field=name,
            old=getattr(before, name),
            new=getattr(after, name),
            actor=actor[:120],
            occurred_at=now,
            recorded_at=now,
        )
        for name in RULED
        if getattr(before, name) != getattr(after, name)
    ]
    return ContactChange.objects.bulk_create(changes)


def as_of(name: str, at: datetime) -> Coalesce:
    """An expression over contacts: what the attribute was at an instant, as far as it was known then."""
    since = ContactChange.objects.filter(
        Q(occurred_at__gt=at) | Q(recorded_at__gt=at), contact=OuterRef("pk"), field=name
    )
    first = since.order_by("occurred_at", "pk")
    kept: Any = Contact._meta.get_field(name)
    if isinstance(kept, JSONField):
        return Coalesce(Subquery(first.values("old")[:1]), F(name), output_field=JSONField())
    told = first.annotate(said=_Text("old")).values("said")[:1]
    return Coalesce(Subquery(told), F(name), Value(""), output_field=TextField())


class _Text(Func):
    """A JSON text as plain text."""

    template = "(%(expressions)s #>> '{}')"
    output_field = TextField()
