"""The offers a person may have on one day of their own calendar: taken by a delivery, given back, renewed.

A unique constraint holds the number, whatever asks at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from campaigns.delivery.limits import frequency
from campaigns.models import OfferSlot
from crm.models import Contact
from crm.people.local_time import zones_of


def take(
    wanted: Sequence[tuple[UUID, UUID]], now: datetime, zones: Mapping[UUID, str] | None = None
) -> set[UUID]:
    """One of today's offers for each (contact, delivery's public id). Returns the deliveries that have one.

    Call it within a transaction. What a delivery held of another day it gives back for one of today.
    """
    if not wanted:
        return set()
    people = {contact_id for contact_id, _ in wanted}
    if zones is None:
        zones = dict(Contact.objects.filter(pk__in=people).values_list("pk", "time_zone"))
    known = zones_of({zones.get(contact_id, "") for contact_id in people})
    days = {contact_id: _day(known[zones.get(contact_id, "")], now) for contact_id in people}
    stored = OfferSlot.objects.filter(contact_id__in=people)
    mine = [held_for for _, held_for in wanted]
    stored.filter(held_for__in=mine).exclude(begins_at__lte=now, ends_at__gt=now).delete()
    taken: dict[UUID, set[int]] = defaultdict(set)
    have: set[UUID] = set()
    today = stored.filter(on_date__in={day for day, _, _ in days.values()})
    for contact_id, on_date, number, held_for in today.values_list(
        "contact_id", "on_date", "slot", "held_for"
    ):
        if on_date == days[contact_id][0]:
            taken[contact_id].add(number)
            have.add(held_for)
    numbers = range(1, frequency().offers_a_day + 1)
    made = []
    for contact_id, held_for in sorted(wanted):
        free = next((number for number in numbers if number not in taken[contact_id]), None)
        if held_for in have or free is None:
            continue
        taken[contact_id].add(free)
        on_date, begins_at, ends_at = days[contact_id]
        made.append(
            OfferSlot(
                contact_id=contact_id,
                on_date=on_date,
                slot=free,
                held_for=held_for,
                begins_at=begins_at,
                ends_at=ends_at,
                taken_at=now,
            )
        )
    if made:
        OfferSlot.objects.bulk_create(made, ignore_conflicts=True, batch_size=1000)
        have |= set(stored.filter(held_for__in=mine).values_list("held_for", flat=True))
    return have & set(mine)


def lost(deliveries: Mapping[UUID, UUID], now: datetime) -> set[UUID]:
    """Of these deliveries (public id to contact) those that hold none of today's offers."""
    held = OfferSlot.objects.filter(
        contact_id__in=set(deliveries.values()), held_for__in=deliveries, begins_at__lte=now, ends_at__gt=now
    )
    return set(deliveries) - set(held.values_list("held_for", flat=True))


def give_back(contact_ids: Collection[UUID], held_for: Collection[UUID]) -> None:
    """For deliveries that carry no offer any more."""
    if held_for:
        OfferSlot.objects.filter(contact_id__in=contact_ids, held_for__in=held_for).delete()


def next_days(contact_ids: Collection[UUID], now: datetime) -> dict[UUID, datetime]:
    """When the day of each of these people is over."""
    names = dict(Contact.objects.filter(pk__in=contact_ids).values_list("pk", "time_zone"))
    known = zones_of(names.values())
    return {contact_id: _day(known[name], now)[2] for contact_id, name in names.items()}


def _day(zone: ZoneInfo, now: datetime) -> tuple[date, datetime, datetime]:
    """The local date, when it begins and when it ends."""
    today = now.astimezone(zone).date()
    begins, ends = (
        datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
        for day in (today, today + timedelta(days=1))
    )
    return today, begins, ends
