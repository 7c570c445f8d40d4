"""One message to many at one time: at which instant it is due in which zone, and who is meant then.

Membership is asked as of each zone's own instant: whoever joins later is not meant, and whoever joins before
the clock strikes in the far west still is. Daylight saving moves the instant, never the number of times.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    CharField,
    DateField,
    DateTimeField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.models import Campaign
from crm.kernel.kinds import BrokenParams
from crm.kernel.rules.compiling import verdict
from crm.models import (
    ConsentState,
    ContactPoint,
    Engagement,
    Purpose,
    Segment,
    SegmentMembership,
)
from crm.people import local_time
from crm.shop.settings import this_shop

PERSON, SHOP = "person", "shop"
ZONES = [(PERSON, "where each person lives"), (SHOP, "where the shop is")]


@dataclass(frozen=True)
class Strike:
    """The clock strikes: at one instant, for the people of some zones, where it is one day, with the string
    that makes it once. `at_home`: also for those without a zone of their own, who live where the shop is.
    """

    at: datetime
    day: date
    entry: str
    zones: tuple[str, ...]
    at_home: bool


def strikes(
    entry_on: Callable[[date], str], clock: time, zone: str, since: datetime, now: datetime
) -> list[Strike]:
    """Every strike after `since` up to `now`, the earliest first. `entry_on` names the entry of a local day,
    or nothing where it is none of the days. By the shop's clock a strike is everybody's.
    """
    home = str(local_time.zone_of(""))
    found: dict[tuple[datetime, date, str], list[str]] = defaultdict(list)
    for name in local_time.zones() if zone == PERSON else (home,):
        local = ZoneInfo(name)
        day, last = since.astimezone(local).date(), now.astimezone(local).date()
        while day <= last:
            if entry := entry_on(day):
                # A time that the spring change leaves out is read as if the clock had not been changed yet;
                # of one that comes twice in autumn the first counts.
                at = datetime.combine(day, clock, local).astimezone(UTC)
                if since < at <= now:
                    found[at, day, entry].append(name)
            day += timedelta(days=1)
    if zone == SHOP:
        found = {key: list(local_time.zones()) for key in list(found)[-1:]}
    return [
        Strike(at, day, entry, tuple(names), at_home=home in names)
        for (at, day, entry), names in sorted(found.items())
    ]


def moments(entry_on: Callable[[date], str], clock: time, since: datetime, until: datetime) -> list[datetime]:
    """Every time the shop's own clock strikes after `since` and before `until`, the earliest first."""
    home = local_time.zone_of("")
    day, last = since.astimezone(home).date(), until.astimezone(home).date()
    days = [day + timedelta(days=number) for number in range((last - day).days + 1)]
    struck = [datetime.combine(one, clock, home).astimezone(UTC) for one in days if entry_on(one)]
    return [at for at in struck if since < at < until]


def meant(
    campaign: Campaign, segment: Segment | None, struck: Sequence[Strike], now: datetime
) -> QuerySet[Any]:
    """Whom the strikes are for, of a segment or of all, and who is not in yet; as `struck_for` has them."""
    rows = _members(segment) if segment else Engagement.objects.filter(forward.may_hear(campaign))
    found = struck_for(rows, campaign, struck).filter(_then(segment, campaign))
    return may_enter(found, campaign, now, "")


def struck_for(rows: QuerySet[Any], campaign: Campaign, struck: Sequence[Strike]) -> QuerySet[Any]:
    """Of rows with a contact, those whose hour has struck and who have no run for it yet, the longest waiting
    first: with `due_at`, `local_day` and `entry_of`.
    """
    place: Any = Value(1)
    if len(struck) > 1 or len(struck[0].zones) < len(local_time.zones()):
        place = _WhoseStrike(F("contact__time_zone"), struck)
    found = rows.filter(contact__merged_into=None).annotate(
        due_at=_OfStrike(place, [strike.at for strike in struck], "timestamptz", DateTimeField()),
        local_day=_OfStrike(place, [strike.day for strike in struck], "date", DateField()),
        entry_of=_OfStrike(place, [strike.entry for strike in struck], "text", CharField()),
        contact_is_test=F("contact__is_test"),
        zone_of=F("contact__time_zone"),
    )
    entered = forward.runs(campaign).filter(entry=OuterRef("entry_of"))
    # Looked up person by person: a crowd enters faster than the planner's figures of the runs grow, and what
    # it takes for a handful it would lay beside everybody.
    anew = verdict(~Q(Exists(entered)))
    return found.filter(anew, due_at__isnull=False).order_by("due_at", "contact_id")


def _members(segment: Segment) -> QuerySet[Any]:
    if segment.problem:
        raise BrokenParams("segment", f"“{segment}” is closed: {segment.problem}")
    return SegmentMembership.objects.filter(segment=segment)


def _then(segment: Segment | None, campaign: Campaign) -> Q:
    """Who was meant at the instant itself: a member then, or known and agreed by then."""
    if segment:
        return Q(entered_at__lte=F("due_at")) & (Q(left_at=None) | Q(left_at__gt=F("due_at")))
    known = Q(contact__created_at__lte=F("due_at"))
    if campaign.purpose.kind == Purpose.Kind.TRANSACTIONAL:
        return known
    states = ConsentState.objects.filter(
        address_hash=OuterRef("address_hash"),
        channel=OuterRef("channel"),
        purpose=campaign.purpose_id,
        may_send=True,
        since__lte=OuterRef(OuterRef("due_at")),
    )
    agreed = ContactPoint.objects.filter(Exists(states), contact=OuterRef("contact"), is_primary=True)
    return known & Q(Exists(agreed))


class _WhoseStrike(Func):
    """The place (from 1) of the strike that is a person's, by the zone they live in; 0 where it has
    not struck yet. One document for six hundred zones: a list of cases would be asked one after another.
    """

    output_field = IntegerField()

    def __init__(self, zone: Any, struck: Sequence[Strike]) -> None:
        super().__init__(zone)
        places = dict.fromkeys(local_time.zones(), 0)
        for place, strike in enumerate(struck, start=1):
            places |= dict.fromkeys(strike.zones, place)
        self.places = json.dumps(places)
        # Where the zone is blank, or none we know: as at home.
        self.home = next((place for place, strike in enumerate(struck, start=1) if strike.at_home), 0)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        zone, params = compiler.compile(self.source_expressions[0])
        return f"COALESCE((%s::jsonb ->> {zone})::int, %s)", (self.places, *params, self.home)


class _OfStrike(Func):
    """A value by the place of the strike; NULL for none."""

    def __init__(self, place: Any, values: Sequence[Any], sort: str, output: Any) -> None:
        super().__init__(place, output_field=output)
        self.values, self.sort = list(values), sort

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        place, params = compiler.compile(self.source_expressions[0])
        return f"(%s::{self.sort}[])[{place}]", (self.values, *params)


def evidence(row: Any, segment: Segment | None) -> dict[str, Any]:
    """What a decision keeps of why somebody was meant."""
    return {
        "segment": str(segment) if segment else "all who may be written to",
        "due_at": row.due_at.isoformat(),
        "zone": row.zone_of or this_shop().time_zone,
    }
