"""By when a request is to be answered, and how that is said. Days are those of the shop; whoever asks about
many names its zone, which is looked up otherwise.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, tzinfo

from crm.shop.settings import shop_zone

MONTHS, MONTHS_MORE = 1, 2
_LAST = time(23, 59, 59)


def due(received_at: datetime, months: int = MONTHS) -> datetime:
    """The end of the day of the same number, so many months later; of the last day, where a month is shorter:
    what came on 31 January is due on 28 February.
    """
    zone = shop_zone()
    day = received_at.astimezone(zone).date()
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return datetime.combine(last, _LAST, tzinfo=zone)


def days_left(due_at: datetime, now: datetime, zone: tzinfo | None = None) -> int:
    """How many days of the shop; 0 on the last, negative when it is overdue."""
    zone = zone or shop_zone()
    return (due_at.astimezone(zone).date() - now.astimezone(zone).date()).days


def left(due_at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """ "3 days left", "the last day", "2 days overdue"."""
    days = days_left(due_at, now, zone)
    if days == 0:
        return "the last day"
    if days > 0:
        return f"{days} day{'s' * (days != 1)} left"
    return f"{-days} day{'s' * (days != -1)} overdue"


def on(due_at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """ "today", "tomorrow", "on Thursday", "on 24 December"."""
    zone = zone or shop_zone()
    days, day = days_left(due_at, now, zone), due_at.astimezone(zone)
    if days in (0, 1):
        return "tomorrow" if days else "today"
    if 1 < days < 7:
        return f"on {day:%A}"
    return f"on {day:%-d %B}" if abs(days) < 300 else f"on {day:%-d %B %Y}"
