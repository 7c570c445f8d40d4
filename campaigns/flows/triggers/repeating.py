"""A message that comes back: every day, week or month, to whoever is in a segment by then."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import broadcasting, forward
from campaigns.flows.broadcasting import PERSON, ZONES
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.flows.triggers.on_date import Everyone
from campaigns.models import Campaign

# A period that was missed for longer is not made up: the next one comes.
LATEST = timedelta(hours=12)
DAY, WEEK, MONTH = "day", "week", "month"
LONGEST_MONTH = 31
WEEKDAYS = list(enumerate(calendar.day_name))
_TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


@triggers.register
class Repeating(Trigger):
    """Lets in everybody of a segment again and again: every day, every week on one day, every month on one
    day, at a time by the shop's clock or where each person lives.

    Each person once a period, whatever the re-entry time. A period that was missed, because the campaign was
    paused or the server away for more than twelve hours, is not made up. In a month that has no such day it
    is the last one.
    """

    key = "campaigns.repeating"
    label = "Again and again, to everybody of a segment"
    group = "Time"
    is_planned = True
    asks_reentry = False

    class Params(Everyone):
        every = forms.ChoiceField(
            label="every", choices=[(one, one) for one in (DAY, WEEK, MONTH)], initial=WEEK
        )
        weekday = forms.TypedChoiceField(
            label="on",
            choices=WEEKDAYS,
            coerce=int,
            empty_value=None,
            initial=1,
            required=False,
            help_text="For every week.",
        )
        day = forms.IntegerField(
            label="on day",
            min_value=1,
            max_value=LONGEST_MONTH,
            initial=1,
            required=False,
            help_text="For every month; 31 is always its last day.",
        )
        time = forms.TimeField(label="at", widget=_TIME, initial="10:00")
        zone = forms.ChoiceField(label="by the clock", choices=ZONES, initial=PERSON)

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            if self.errors:
                return cleaned
            if cleaned["every"] == WEEK and cleaned["weekday"] is None:
                self.add_error("weekday", "say on which day of the week")
            if cleaned["every"] == MONTH and not cleaned["day"]:
                self.add_error("day", "say on which day of the month")
            return cleaned

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        since = forward.since(campaign, now, LATEST)

        def entry_on(day: date) -> str:
            return period_of(params, day)

        struck = broadcasting.strikes(entry_on, params["time"], params["zone"], since, now)
        if not struck:
            return []
        segment = params["segment"]
        people = broadcasting.meant(campaign, segment, struck, now)
        return [
            Entrant(
                contact_id=row.contact_id,
                entry=row.entry_of,
                qualified_at=row.due_at,
                is_test=row.contact_is_test,
                evidence=broadcasting.evidence(row, segment) | {"period": row.entry_of.split(":", 1)[1]},
            )
            for row in people[:limit]
        ]

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:period:{contact_id}", now, is_test=True)

    def planned(self, params: dict[str, Any], since: datetime, until: datetime) -> Sequence[datetime]:
        return broadcasting.moments(lambda day: period_of(params, day), params["time"], since, until)

    def sentence(self, params: dict[str, Any]) -> str:
        to = f"the segment “{params['segment']}”" if params["segment"] else "all who may be written to"
        where = dict(ZONES)[params["zone"]]
        return f"{_days(params)} at {params['time']:%H:%M}, {where}, to {to}"


def _days(params: dict[str, Any]) -> str:
    if params["every"] == DAY:
        return "Every day"
    if params["every"] == WEEK:
        return f"Every {calendar.day_name[params['weekday']]}"
    day = params["day"]
    return "On the last day of every month" if day == LONGEST_MONTH else f"On day {day} of every month"


def period_of(params: dict[str, Any], day: date) -> str:
    """The entry of a day, unique a period; nothing where it is not its day."""
    if params["every"] == DAY:
        return f"day:{day.isoformat()}"
    if params["every"] == WEEK:
        year, week, _ = day.isocalendar()
        return f"week:{year}-W{week:02}" if day.weekday() == params["weekday"] else ""
    last = calendar.monthrange(day.year, day.month)[1]
    return f"month:{day:%Y-%m}" if day.day == min(params["day"], last) else ""
