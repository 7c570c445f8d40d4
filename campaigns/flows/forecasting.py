"""How many people a campaign would let in if it were launched now, counted by its own trigger, which writes
nothing.

What is known now is exact: whoever falls due within the hour or the day if nothing else happens. What nobody
can know yet, the visitors of tomorrow, is told by yesterday.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from math import ceil
from typing import Any
from uuid import UUID

from django.db.models import Sum, Value

from campaigns.flows import broadcasting
from campaigns.flows.kinds import Entrant, steps, triggers
from campaigns.models import Campaign, EntryDay, FlowVersion, Step
from crm.kernel import patience
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.models import Channel, ContactPoint
from crm.people import consent
from crm.shop.settings import shop_zone

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST = 100_000
FEW = 1_000
SECONDS = 6.0
UNREACHABLE = [ContactPoint.Status.HARD, ContactPoint.Status.INVALID]
PACE_DAYS = 28
# How far ahead the moment of a broadcast is looked for.
AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class Count:
    """How many people, and how many of them may be written to (None: not counted in time). `more`: at least
    so many, for there were more than could be counted.
    """

    people: int
    may: int | None
    more: bool = False

    @property
    def words(self) -> str:
        return f"more than {self.people:,}" if self.more else f"{self.people:,}"


@dataclass(frozen=True)
class Forecast:
    """What a launch at `at` would do. A count that is None could not be made in time."""

    at: datetime
    hour: Count | None
    day: Count | None
    yesterday: Count | None
    pace: int  # people a day who came in lately, where it ran before
    existing: Count | None  # those who qualify already, where the trigger can start with them
    messages: int  # at most, a person
    cast_at: datetime | None = None  # the moment of a broadcast, or the next one of a repeating message
    cast: Count | None = None

    @property
    def expected(self) -> int | None:
        """People of a first day: the most of what is known of it, of yesterday and of its own past; of a
        broadcast those it goes to at its moment.
        """
        if self.cast_at is not None:
            return self.cast.people if self.cast else None
        known = [count.people for count in (self.day, self.yesterday) if count is not None]
        return max([*known, self.pace]) if known else None

    @property
    def is_more(self) -> bool:
        return any(count is not None and count.more for count in (self.day, self.yesterday, self.cast))

    @property
    def most_messages(self) -> int | None:
        """Messages to the people of a first day, to the end of the flow, at most."""
        return None if self.expected is None else self.expected * self.messages

    def kept(self) -> dict[str, Any]:
        """As it is kept on the campaign; what guards the launch reads `expected`."""
        return {
            "at": self.at.isoformat(),
            "hour": self.hour.people if self.hour else None,
            "day": self.day.people if self.day else None,
            "may": self.day.may if self.day else None,
            "yesterday": self.yesterday.people if self.yesterday else None,
            "expected": self.expected,
            "cast_at": self.cast_at.isoformat() if self.cast_at else None,
            "existing": self.existing.people if self.existing else None,
        }


def forecast(campaign: Campaign, now: datetime) -> Forecast | None:
    """Nothing where the trigger cannot be read, or cannot be asked: the checklist says so."""
    try:
        trigger = triggers.get(campaign.trigger)
        params = trigger.read(campaign.trigger_params)
        count = _Counting(campaign, params)
        moments = trigger.planned(params, now, now + AHEAD)
        if moments:
            return Forecast(
                at=now,
                hour=None,
                day=None,
                yesterday=None,
                pace=0,
                existing=None,
                messages=messages_a_person(campaign.versions.order_by("-number").first()),
                cast_at=moments[0],
                cast=count.casting(now, moments[0]),
            )
        return Forecast(
            at=now,
            hour=count.entering(now, now + HOUR),
            day=count.entering(now, now + DAY),
            yesterday=count.entering(now - DAY, now),
            pace=pace(campaign, now),
            existing=count.existing(now) if trigger.looks_at_people else None,
            messages=messages_a_person(campaign.versions.order_by("-number").first()),
        )
    except (UnknownKind, BrokenParams, ValueError):
        return None


def pace(campaign: Campaign, now: datetime) -> int:
    """People a day who came in during the last four weeks; days before the first one do not count."""
    today = now.astimezone(shop_zone()).date()
    rows = EntryDay.objects.filter(
        campaign=campaign, on_day__lt=today, on_day__gte=today - timedelta(days=PACE_DAYS)
    )
    first = rows.order_by("on_day").values_list("on_day", flat=True).first()
    if first is None:
        return 0
    total = rows.aggregate(total=Sum("entered"))["total"] or 0
    return ceil(total / (today - first).days)


def messages_a_person(version: FlowVersion | None) -> int:
    """The most messages one person can get on one way through: of paths that exclude each other, one."""
    rows = list(version.steps.order_by("position", "id")) if version else []
    on: dict[str, int] = {}
    for row in rows:
        on[row.path] = on.get(row.path, 0) + _sends(row)
    total = on.pop("", 0)
    for row in rows:
        names = _paths(row)
        total += max((on.pop(name, 0) for name in dict.fromkeys(names)), default=0)
    return total + sum(on.values())


def _sends(row: Step) -> int:
    return int(row.kind in steps and steps.get(row.kind).has_template)


def _paths(row: Step) -> list[str]:
    try:
        kind = steps.get(row.kind)
        return kind.paths(kind.read(row.params))
    except (UnknownKind, BrokenParams):
        return []


class _Counting:
    """Asks the trigger of one campaign, each statement for so long at most."""

    def __init__(self, campaign: Campaign, params: dict[str, Any]) -> None:
        self.trigger = triggers.get(campaign.trigger)
        self.campaign = campaign
        self.params = params

    def entering(self, launched_at: datetime | None, until: datetime) -> Count | None:
        """Who would have entered by `until` if it had been launched then, asked as often as its trigger has
        to be to miss nobody.
        """
        tried = copy(self.campaign)
        tried.launched_at, tried.existing_a_day = launched_at, None
        # How late a message may be says nothing of who enters: asked later, all of the day are looked at.
        tried.expires_after = 2 * DAY
        moments = [until]
        while launched_at and moments[-1] - self.trigger.looks_back > launched_at:
            moments.append(moments[-1] - self.trigger.looks_back)
        return self._count(tried, moments)

    def casting(self, now: datetime, moment: datetime) -> Count | None:
        """Who gets a broadcast, all zones taken together: everybody it is for, as they are now."""
        if "zone" in self.params:
            self.params = self.params | {"zone": broadcasting.SHOP}
        return self.entering(now, moment)

    def existing(self, now: datetime) -> Count | None:
        """Who qualifies already: those whom it would let in as well, so many a day."""
        tried = copy(self.campaign)
        tried.launched_at, tried.existing_a_day = now, MOST
        return self._count(tried, [now], existing=True)

    def _count(self, tried: Campaign, moments: Sequence[datetime], **which: bool) -> Count | None:
        for limit in (MOST, FEW):
            people: set[UUID] = set()
            more = False
            for at in moments:
                ask = partial(self._ask, tried, at, limit, which)
                found = patience.within(SECONDS, ask)
                if found is None:
                    break
                people |= {entrant.contact_id for entrant in found if not entrant.is_test}
                more = more or len(found) >= limit
            else:
                may = patience.within(SECONDS, partial(writable, people, tried.purpose_id))
                return Count(len(people), may, more) if more or limit == MOST else None
        return None

    def _ask(self, tried: Campaign, at: datetime, limit: int, which: dict[str, bool]) -> Sequence[Entrant]:
        ask: Any = self.trigger.entrants
        found: Sequence[Entrant] = ask(self.params, tried, at, limit=limit, **which)
        return found


def writable(people: Iterable[UUID], purpose_id: int) -> int:
    """How many of them have an address that is reached and may be written to for the purpose."""
    return sum(len(writable_of(some, purpose_id)) for some in batched(people, 10_000))


def writable_of(people: Collection[UUID], purpose_id: int) -> set[UUID]:
    """Which of these few thousand."""
    points = (
        ContactPoint.objects.filter(contact_id__in=people, channel=Channel.EMAIL)
        .annotate(
            refusal=consent.refusal_reason("address_hash", Value(Channel.EMAIL.value), Value(purpose_id))
        )
        .order_by("contact_id", "-is_primary", "created_at", "-id")
        .distinct("contact_id")
        .values_list("contact_id", "refusal", "status")
    )
    return {pk for pk, refusal, status in points if not refusal and status not in UNREACHABLE}
