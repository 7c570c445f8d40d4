"""What a colleague does about one person: notes, calls, tasks, and taking the person over."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from crm.audience.leads import stages
from crm.models import Contact, Lead, Note, Task
from crm.people import changes, pausing


def looked_after_by(user: Any, contact: str = "pk") -> Q:
    """Rows of people who are this colleague's: theirs as a contact, or as a lead now. `contact` names the
    column that points to the contact.
    """
    mine = Contact.objects.filter(pk=OuterRef(contact), owner=user)
    leads = Lead.objects.filter(contact=OuterRef(contact), owner=user, ended_at=None)
    return Q(Exists(mine)) | Q(Exists(leads))


def write_note(
    contact_id: UUID,
    body: str,
    now: datetime,
    *,
    by: str,
    kind: str = Note.Kind.NOTE,
    outcome: str = "",
    at: datetime | None = None,
) -> Note:
    """Keep a note, or what was said in a call or a meeting; `at` is when that was. Blank: now."""
    return Note.objects.create(
        contact_id=contact_id,
        kind=kind,
        outcome=outcome,
        body=body,
        author=by[:150],
        occurred_at=at or now,
        recorded_at=now,
    )


def make_task(
    contact_id: UUID, title: str, owner: Any, now: datetime, *, due_at: datetime | None, body: str = ""
) -> Task:
    """Something to be done about the person."""
    return Task.objects.create(
        contact_id=contact_id, title=title[:200], owner=owner, body=body, due_at=due_at, created_at=now
    )


@transaction.atomic
def take_over(contact_id: UUID, user: Any, until: datetime, now: datetime, *, why: str = "") -> None:
    """The person, and every lead of theirs that is open, is this colleague's, and marketing rests until
    then.
    """
    by = user.get_username()
    changes.change([contact_id], lambda contact: {"owner": user}, now, actor=by)
    leads = Lead.objects.filter(contact=contact_id, ended_at=None).select_related("definition", "owner")
    for lead in leads:
        stages.assign(lead, user, now, by)
    pausing.pause(contact_id, until, now, by=by, why=why)
