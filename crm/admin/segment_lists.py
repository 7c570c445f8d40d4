"""What a colleague's hand does to lists: paste addresses, take people off, make a copy."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest

from crm.audience import lists
from crm.models import Segment, SegmentMembership

_TOLD = 20


def change(request: HttpRequest, segment: Segment, now: datetime) -> None:
    """Do what the form says and tell what came of it."""
    is_adding = request.POST.get("do") == "add"
    found = lists.look_up(request.POST.get("addresses", ""))
    people = [*found.contacts, *_ids(request.POST.getlist("contact"))]
    if not people and not found.unknown:
        messages.warning(request, "Nobody was named: paste e-mail addresses, one a line or with commas.")
        return
    try:
        done = (lists.add if is_adding else lists.remove)(segment, people, now)
    except lists.NotAList as error:
        messages.error(request, str(error))
        return
    was_so = len(set(people)) - done
    verb, already = ("added", "were on it already") if is_adding else ("taken off", "were not on it")
    told = [f"{_number(done)} {verb}"] + ([f"{was_so:,} {already}"] if was_so else [])
    messages.success(request, f"{', '.join(told)}.")
    if found.unknown:
        shown = ", ".join(found.unknown[:_TOLD]) + (" and others" if len(found.unknown) > _TOLD else "")
        messages.warning(request, f"{_number(len(found.unknown))} not found among the contacts: {shown}")


def duplicate(segment: Segment, now: datetime) -> Segment:
    """A segment with the same rule and schedule, or the same people, under a name of its own."""
    with transaction.atomic():
        copy = Segment.objects.create(
            name=_free_name(segment.name),
            description=segment.description,
            kind=segment.kind,
            rule=segment.rule,
            interval=segment.interval,
            crontab=segment.crontab,
            created_at=now,
        )
        if segment.kind == Segment.Kind.FIXED:
            inside = SegmentMembership.objects.filter(segment=segment, left_at=None)
            lists.add(copy, inside.values_list("contact_id", flat=True).iterator(), now)
    return copy


def _free_name(name: str) -> str:
    taken = set(Segment.objects.values_list("name", flat=True))
    number = 1
    while True:
        suffix = f" (copy {number})" if number > 1 else " (copy)"
        free = name[: 120 - len(suffix)] + suffix
        if free not in taken:
            return free
        number += 1


def _ids(posted: list[str]) -> list[UUID]:
    found = []
    for text in posted:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _number(people: int) -> str:
    return f"{people:,} person" if people == 1 else f"{people:,} people"
