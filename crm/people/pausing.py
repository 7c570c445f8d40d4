"""No marketing to a person for a while: a colleague is speaking with them, or they asked for a rest.

A pause is no answer about consent: it ends by itself, and what they agreed to stands.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from crm.models import Contact, MarketingPause
from crm.people.stirring import stir


def held_at(at: datetime, *, current: bool = False) -> QuerySet[MarketingPause]:
    """Everybody's pause that ran at an instant, as known then."""
    pauses = MarketingPause.objects.filter(occurred_at__lte=at, until__gt=at)
    if current:
        return pauses.filter(ended_at=None)
    return pauses.filter(Q(ended_at=None) | Q(ended_at__gt=at), recorded_at__lte=at)


@transaction.atomic
def pause(contact_id: UUID, until: datetime, now: datetime, *, by: str = "", why: str = "") -> MarketingPause:
    """From now until then; a pause that runs is replaced by this one. `by` blank: the person themselves."""
    _turn(contact_id)
    _end(contact_id, now, by)
    made = MarketingPause.objects.create(
        contact_id=contact_id,
        until=until,
        why=why[:200],
        by=by[:150],
        occurred_at=now,
        recorded_at=now,
    )
    stir([contact_id])
    return made


@transaction.atomic
def resume(contact_id: UUID, now: datetime, *, by: str = "") -> bool:
    """End the pause now. Whether there was one."""
    _turn(contact_id)
    was = _end(contact_id, now, by)
    stir([contact_id])
    return was


def pause_all(
    contact_ids: Collection[UUID],
    until: datetime,
    now: datetime,
    *,
    by: str,
    why: str = "",
    spares: Collection[int] = (),
) -> None:
    """Let it rest for many people at once, in a fixed number of queries; a pause that lasts longer stays.
    Marketing of the purposes it `spares` goes on.
    """
    running = MarketingPause.objects.filter(contact__in=contact_ids, ended_at=None)
    running.filter(until__lte=now).update(ended_at=F("until"))
    running.filter(until__lt=until).update(ended_at=now, ended_by=by[:150])
    # No lock: where another pause came in between, one pause at a time stands, and it is that one.
    MarketingPause.objects.bulk_create(
        [
            MarketingPause(
                contact_id=pk,
                until=until,
                why=why[:200],
                by=by[:150],
                spares=list(spares),
                occurred_at=now,
                recorded_at=now,
            )
            for pk in sorted(contact_ids)
        ],
        ignore_conflicts=True,
    )
    stir(contact_ids)


def resume_all(contact_ids: Collection[UUID], now: datetime, *, begun_by: str) -> None:
    """End the pauses of these people that this one began; everybody else's stand."""
    running = MarketingPause.objects.filter(contact__in=contact_ids, ended_at=None, by=begun_by)
    running.filter(until__gt=now).update(ended_at=now, ended_by=begun_by[:150])
    stir(contact_ids)


def _turn(contact_id: UUID) -> None:
    """Two hands at one person take turns."""
    Contact.objects.select_for_update(no_key=True).get(pk=contact_id)


def _end(contact_id: UUID, now: datetime, by: str) -> bool:
    running = MarketingPause.objects.filter(contact=contact_id, ended_at=None)
    running.filter(until__lte=now).update(ended_at=F("until"))
    return bool(running.update(ended_at=now, ended_by=by[:150]))
