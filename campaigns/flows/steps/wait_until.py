"""Wait for a time of day, where each person lives."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from crm.models import Contact
from crm.people import local_time

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WORKDAYS = WEEKDAYS[:5]
DAY = timedelta(days=1)


@steps.register
class WaitUntil(Step):
    """Nothing happens until a time of day, on certain days of the week if some are chosen, by the clock where
    each person lives; then they go on. Of whom no time zone is known, the shop's counts.

    Whoever gets here at that very time goes on at once; whoever gets here a minute later waits for the next
    such day. On the two days a year on which clocks change everybody goes on once: at a time that comes
    twice the first time, and at one that is left out an hour later.
    """

    key = "campaigns.wait_until"
    label = "Wait until a time of day"
    group = acting.WAIT
    icon = "schedule"
    does = False

    class Params(forms.Form):
        time = forms.TimeField(
            label="until",
            initial="09:00",
            widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            help_text="By the clock where the person lives.",
        )
        weekdays = forms.MultipleChoiceField(
            label="on",
            required=False,
            choices=[(str(number), name) for number, name in enumerate(WEEKDAYS)],
            widget=forms.CheckboxSelectMultiple,
            help_text="None chosen: any day.",
        )

    def leaves(self, params: dict[str, Any], at: datetime) -> datetime:
        days = {int(day) for day in params["weekdays"]} or set(range(7))
        return next_moment(at, local_time.zone_of(""), params["time"], days)

    def run(self, batch: Batch) -> dict[UUID, Move]:
        zones = dict(
            Contact.objects.filter(pk__in={person.contact_id for person in batch.people}).values_list(
                "pk", "time_zone"
            )
        )
        days = {int(day) for day in batch.params["weekdays"]} or set(range(7))
        # People who came together and live in one zone go on together.
        ends: dict[tuple[datetime, str], datetime] = {}
        moves = {}
        for person in batch.people:
            came, name = person.arrived_at or batch.now, zones.get(person.contact_id) or ""
            if (came, name) not in ends:
                ends[came, name] = next_moment(came, local_time.zone_of(name), batch.params["time"], days)
            if ends[came, name] > batch.now:
                moves[person.pk] = Move("stay", ends[came, name])
        return moves

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        at = f"{params['time']:%H:%M}"
        return f"Wait until {at}{_on(sorted(int(day) for day in params['weekdays']))}, where they live"


def next_moment(after: datetime, zone: ZoneInfo, at: time, weekdays: set[int]) -> datetime:
    """The first moment from `after` on at which it is that time there, on one of those weekdays."""
    day = after.astimezone(zone).date()
    while True:
        moment = _moment(day, zone, at)
        if day.weekday() in weekdays and moment >= after:
            return moment
        day += DAY


def _moment(day: date, zone: ZoneInfo, at: time) -> datetime:
    """Once a day, whatever the clocks do: of a time that comes twice the first, and of one that is left out
    as much later as the clocks went on.
    """
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _on(days: list[int]) -> str:
    names = [WEEKDAYS[day] for day in days]
    if not names or len(names) == 7:
        return ""
    if tuple(names) == WORKDAYS:
        return " on a working day"
    return f" on a {' or '.join(names)}"
