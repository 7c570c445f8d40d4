"""What day and time it is where each person is. Worked out zone by zone, so the database compares names.

Who has no zone, or one that does not exist, lives in the shop's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import cache, lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import In

from crm.kernel.rules.compiling import two_valued
from crm.models import Contact
from crm.shop.settings import this_shop

type Asked = Callable[[datetime], Any]


def in_zones(zone: Any, at: datetime, asked: Asked) -> Q:
    """A filter by the zone's name (an expression): people for whom the question, asked of their own local
    moment, is answered with yes.
    """
    moments = _moments(at)
    at_home = bool(asked(moments[_home()]))
    others = [name for name, local in moments.items() if bool(asked(local)) != at_home]
    return ~Q(In(zone, others)) if at_home else Q(In(zone, others))


def by_day(zone: Any, at: datetime, condition: Callable[[date], Q]) -> Q:
    """A filter that is another one on each of the two or three days it is in the world."""
    whole = Q(pk__in=[])
    for day in sorted({local.date() for local in _moments(at).values()}):
        whole |= in_zones(zone, at, partial(_is_on, day)) & condition(day)
    return whole


def _is_on(day: date, local: datetime) -> bool:
    return local.date() == day


def turned(zone: Any, since: datetime, at: datetime, asked: Asked) -> Q | None:
    """People for whom the question has another answer than before; None where there are none."""
    before, after, home = _moments(since), _moments(at), _home()
    names = [name for name in zones() if asked(before[name]) != asked(after[name])]
    if home in names:
        still = sorted(set(zones()) - set(names))
        return ~Q(In(zone, still)) if still else Q(pk__isnull=False)
    return Q(In(zone, names)) if names else None


def drifted(asked: Callable[[datetime], Q], since: datetime, at: datetime) -> list[QuerySet[Any]]:
    """For conditions that hang on the day it is: people where it is another day than before, and of whom the
    condition says something else than before.
    """
    elsewhere = turned(F("time_zone"), since, at, lambda local: local.date())
    if elsewhere is None:
        return []
    before, after = (two_valued(asked(then)) for then in (since, at))
    return [Contact.objects.filter(elsewhere).filter((before & ~after) | (~before & after)).values("pk")]


@cache
def zones() -> tuple[str, ...]:
    """The names of all zones there are."""
    return tuple(sorted(available_timezones()))


def zone_of(name: str) -> ZoneInfo:
    """The zone a person lives in, by what is known of them."""
    return _zone(name if name in zones() else _home())


def zones_of(names: Iterable[str]) -> dict[str, ZoneInfo]:
    """The zones of many people by what is known of them; the shop is asked for its own at most once."""
    told = set(names)
    home = None if told <= set(zones()) else _zone(_home())
    return {name: _zone(name) if home is None or name in zones() else home for name in told}


def _home() -> str:
    name = this_shop().time_zone
    return name if name in zones() else "UTC"


@lru_cache(maxsize=8)
def _moments(at: datetime) -> dict[str, datetime]:
    """The local moment of every zone; one rule asks for the same instant several times."""
    return {name: at.astimezone(_zone(name)) for name in zones()}


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
