"""Changes of the attributes that rules use, a row each, so that a rule can ask what they were.

A colleague or a company is kept as its key, as text; nobody and none as a blank one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import (
    ExpressionWrapper,
    F,
    ForeignKey,
    Func,
    JSONField,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Coalesce

from crm.kernel.work import in_batches
from crm.models import Contact, ContactChange
from crm.models.writing import update_rows
from crm.people.stirring import stir

RULED = ("language", "country", "time_zone", "tags", "fields", "source", "owner", "company")
_BATCH = 1000


def note(before: Contact, after: Contact, now: datetime, *, actor: str) -> list[ContactChange]:
    """Remember what was changed by hand, called by whoever saves a contact, in the same transaction."""
    changes = [
        ContactChange(
            contact=after,
            field=name,
            old=_plain(before, name),
            new=_plain(after, name),
            actor=actor[:120],
            occurred_at=now,
            recorded_at=now,
        )
        for name in RULED
        if _plain(before, name) != _plain(after, name)
    ]
    stir([after.pk])
    return ContactChange.objects.bulk_create(changes)


def change(
    contact_ids: Collection[UUID],
    answer: Callable[[Contact], Mapping[str, Any]],
    now: datetime,
    *,
    actor: str,
) -> set[UUID]:
    """Change attributes of many people, a fixed number of queries a batch: `answer` is asked for each, locked
    and in the order of their keys, what some of `RULED` become. Returns for whom anything changed.
    """
    changed: set[UUID] = set()
    for batch in in_batches(sorted(set(contact_ids)), _BATCH):
        with transaction.atomic():
            changed |= _change(batch, answer, now, actor)
    return changed


def _change(
    batch: list[UUID], answer: Callable[[Contact], Mapping[str, Any]], now: datetime, actor: str
) -> set[UUID]:
    locked = Contact.objects.filter(pk__in=batch).order_by("pk").select_for_update(no_key=True)
    rows: dict[UUID, Contact] = {}
    changes: list[ContactChange] = []
    for contact in locked:
        for name, value in answer(contact).items():
            old = _plain(contact, name)
            setattr(contact, name, value)
            if old == (new := _plain(contact, name)):
                continue
            rows[contact.pk] = contact
            changes.append(
                ContactChange(
                    contact=contact,
                    field=name,
                    old=old,
                    new=new,
                    actor=actor[:120],
                    occurred_at=now,
                    recorded_at=now,
                )
            )
    for contact in rows.values():
        contact.updated_at = now
    update_rows(list(rows.values()), *sorted({change.field for change in changes}), "updated_at")
    ContactChange.objects.bulk_create(changes)
    stir(rows)
    return set(rows)


def let_go(name: Literal["owner", "company"], keys: Collection[Any], now: datetime, *, actor: str) -> int:
    """Take people from colleagues, or out of companies, that are about to be deleted, and remember it."""
    theirs = Contact.objects.filter(**{f"{name}__in": keys}).order_by("pk").select_for_update(no_key=True)
    let = 0
    for batch in in_batches(theirs.iterator(chunk_size=_BATCH), _BATCH):
        ContactChange.objects.bulk_create(
            ContactChange(
                contact=contact,
                field=name,
                old=_plain(contact, name),
                new="",
                actor=actor[:120],
                occurred_at=now,
                recorded_at=now,
            )
            for contact in batch
        )
        people = [contact.pk for contact in batch]
        Contact.objects.filter(pk__in=people).update(**{name: None})
        stir(people)
        let += len(batch)
    return let


def as_of(name: str, at: datetime, *, current: bool = False) -> Any:
    """An expression over contacts: what the attribute was at an instant, as far as it was known then.

    `current` says that the instant is now, so that the row itself answers.
    """
    kept: Any = Contact._meta.get_field(name)
    now: Any = Cast(F(f"{name}_id"), TextField()) if isinstance(kept, ForeignKey) else F(name)
    if current and isinstance(kept, JSONField):
        # Lookups read their value by the type of the left side, which a bare name does not tell.
        return ExpressionWrapper(F(name), output_field=JSONField())
    if current:
        return Coalesce(now, Value(""), output_field=TextField()) if isinstance(kept, ForeignKey) else now
    since = ContactChange.objects.filter(
        Q(occurred_at__gt=at) | Q(recorded_at__gt=at), contact=OuterRef("pk"), field=name
    )
    first = since.order_by("occurred_at", "pk")
    if isinstance(kept, JSONField):
        return Coalesce(Subquery(first.values("old")[:1]), F(name), output_field=JSONField())
    told = first.annotate(said=_Text("old")).values("said")[:1]
    return Coalesce(Subquery(told), now, Value(""), output_field=TextField())


def _plain(contact: Contact, name: str) -> Any:
    if isinstance(Contact._meta.get_field(name), ForeignKey):
        key = getattr(contact, f"{name}_id")
        return "" if key is None else str(key)
    return getattr(contact, name)


class _Text(Func):
    """A JSON text as plain text."""

    template = "(%(expressions)s #>> '{}')"
    output_field = TextField()
