"""Who holds which status, and what a hand does about it. What rules do is in `crm.audience.granting`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from crm.models import Contact, ContactStatus, Status
from crm.people.stirring import stir


def held_at(at: datetime, *, current: bool = False) -> QuerySet[ContactStatus]:
    """Everybody's terms that ran at an instant, as known then."""
    terms = ContactStatus.objects.filter(occurred_at__lte=at, until__gt=at)
    if current:
        return terms.filter(ended_at=None)
    return terms.filter(Q(ended_at=None) | Q(ended_at__gt=at), recorded_at__lte=at)


def held(contact_ids: Collection[UUID], now: datetime) -> dict[UUID, dict[str, datetime]]:
    """What each of these people holds now: the keys of the statuses, and until when. One query.

    Who holds none is left out.
    """
    found: dict[UUID, dict[str, datetime]] = {}
    terms = held_at(now, current=True).filter(contact_id__in=contact_ids)
    for contact_id, key, until in terms.values_list("contact_id", "status__key", "until"):
        found.setdefault(contact_id, {})[key] = until
    return found


def holders(contact_ids: Collection[UUID], now: datetime) -> dict[UUID, set[UUID]]:
    """Which of these people hold each status now, by the status. One query."""
    found: dict[UUID, set[UUID]] = {}
    terms = held_at(now, current=True).filter(contact_id__in=contact_ids)
    for status_id, contact_id in terms.values_list("status_id", "contact_id"):
        found.setdefault(status_id, set()).add(contact_id)
    return found


def grant(contact_id: UUID, status: Status, now: datetime, by: str) -> ContactStatus:
    """Give it to somebody by hand; a term that runs is renewed from now on."""
    until = now + timedelta(days=status.lasts_days)
    with transaction.atomic():
        _turn(contact_id)
        _run_out(contact_id, status, now)
        running = ContactStatus.objects.filter(contact=contact_id, status=status, ended_at=None)
        if running.update(until=until, renewals=F("renewals") + 1, renewed_at=now):
            term = running.get()
        else:
            term = ContactStatus.objects.create(
                contact_id=contact_id,
                status=status,
                until=until,
                granted_by=by,
                occurred_at=now,
                recorded_at=now,
            )
        stir([contact_id])
    return term


@dataclass(frozen=True)
class Given:
    """Until when it is theirs now, who held it before, and from whom a colleague had taken it."""

    until: datetime
    held: frozenset[UUID]
    refused: frozenset[UUID]


@transaction.atomic
def grant_all(
    contact_ids: Collection[UUID], status: Status, now: datetime, by: str, *, days: int | None = None
) -> Given:
    """Give it to many by something automatic, such as a campaign, in a fixed number of queries.

    Whoever holds it keeps it, and for longer where this term is longer. From whom a colleague took it away
    it stays away, as for the rule, until the term that was cut short is over.
    """
    until = now + timedelta(days=days or status.lasts_days)
    locked = Contact.objects.select_for_update(no_key=True).filter(pk__in=contact_ids).order_by("pk")
    people = list(locked.values_list("pk", flat=True))
    terms = ContactStatus.objects.filter(contact__in=people, status=status)
    running = terms.filter(ended_at=None)
    running.filter(until__lte=now).update(ended_at=F("until"))
    running.filter(until__lt=until).update(until=until, renewals=F("renewals") + 1, renewed_at=now)
    rows = terms.filter(Q(ended_at=None) | ~Q(ended_by="") & Q(until__gt=now))
    ended = dict(rows.order_by(F("ended_at").asc(nulls_last=True)).values_list("contact_id", "ended_at"))
    held = frozenset(pk for pk, at in ended.items() if at is None)
    ContactStatus.objects.bulk_create(
        ContactStatus(
            contact_id=pk, status=status, until=until, granted_by=by[:120], occurred_at=now, recorded_at=now
        )
        for pk in people
        if pk not in ended
    )
    stir(people)
    return Given(until, held, frozenset(ended) - held)


def end(contact_id: UUID, status: Status, now: datetime, by: str) -> bool:
    """Take it away by hand. The rule gives it back only when the term that was cut short is over."""
    with transaction.atomic():
        _turn(contact_id)
        _run_out(contact_id, status, now)
        running = ContactStatus.objects.filter(contact=contact_id, status=status, ended_at=None)
        ended = running.update(ended_at=now, ended_by=by)
        stir([contact_id])
    return bool(ended)


def _turn(contact_id: UUID) -> None:
    """Two hands at one person take turns."""
    Contact.objects.select_for_update(no_key=True).get(pk=contact_id)


def _run_out(contact_id: UUID, status: Status, now: datetime) -> None:
    """What is over by now ended then; the tick would say so in a minute."""
    over = ContactStatus.objects.filter(contact=contact_id, status=status, ended_at=None, until__lte=now)
    over.update(ended_at=F("until"))
