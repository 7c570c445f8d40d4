"""When people are awake and at their screens."""

from datetime import datetime, timedelta
from random import Random  # noqa: TID251 - the caller's generator is seeded: a sample year is the same every time
from zoneinfo import ZoneInfo

from .records import Year

HOURS = range(24)
SHARES = (2, 1, 0, 0, 0, 1, 3, 6, 8, 10, 11, 12, 14, 12, 10, 10, 11, 13, 15, 19, 23, 22, 14, 6)
"""How much of a day's shopping falls into each hour of the person's own clock."""


def waking(chance: Random, at: datetime, zone: str, year: Year) -> datetime:
    """An instant on the person's own day of `at`, at an hour people shop, inside the year."""
    local = at.astimezone(ZoneInfo(zone))
    hour = chance.choices(HOURS, SHARES)[0]
    moved = local.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60), microsecond=0)
    instant = moved.astimezone(year.ends_at.tzinfo)
    while instant >= year.ends_at:
        instant -= timedelta(days=1)
    while instant < year.begins_at:
        instant += timedelta(days=1)
    return instant
