"""When the sales desk is open: instants and spans counted in its hours alone, in the shop's time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.models import DeskSettings
from crm.shop.settings import shop_zone

# A desk that opens on no day of a year is taken as one that is always open: nothing waits for ever.
_LOOKED_AHEAD = 366
_DAY = timedelta(days=1)


def desk_settings() -> DeskSettings:
    """The one row of desk settings; a database that never had any gets the defaults."""
    return DeskSettings.objects.filter(pk=1).first() or DeskSettings()


@dataclass(frozen=True)
class DeskHours:
    """The hours of the desk."""

    desk: DeskSettings
    zone: ZoneInfo

    @classmethod
    def now_set(cls) -> DeskHours:
        """As the settings say now, in two queries."""
        return cls(desk_settings(), shop_zone())

    def after(self, at: datetime, span: timedelta) -> datetime:
        """The instant by which the desk has been open for so long since `at`."""
        for opens, closes in self._stretches(at):
            begins = max(opens, at)
            if begins + span <= closes:
                return begins + span
            span -= max(closes - begins, timedelta(0))
        return at + span

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How long the desk was open between two instants."""
        whole = timedelta(0)
        for opens, closes in self._stretches(start):
            if opens >= end:
                break
            whole += max(min(closes, end) - max(opens, start), timedelta(0))
        return whole

    def _stretches(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Each day's hours from the day of `since` on, until a year without any is over."""
        day, empty = since.astimezone(self.zone).date(), 0
        while empty < _LOOKED_AHEAD:
            if self._is_open_on(day):
                empty = 0
                # In UTC: wall clocks of one zone are subtracted as if no hour were ever skipped.
                yield self._at(day, self.desk.opens_at), self._at(day, self.desk.closes_at)
            else:
                empty += 1
            day += _DAY

    def _at(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)

    def _is_open_on(self, day: date) -> bool:
        return day.isoweekday() in self.desk.weekdays and day not in self.desk.holidays
