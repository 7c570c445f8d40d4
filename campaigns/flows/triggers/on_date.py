"""A broadcast: everybody of a segment, once, at one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import broadcasting, forward
from campaigns.flows.broadcasting import PERSON, ZONES
from campaigns.flows.kinds import Entrant, Missed, Trigger, triggers
from campaigns.models import Campaign
from crm.models import Segment
from crm.people.local_time import zones

LONGEST_LOOK_BACK = timedelta(days=1)
# A day is over everywhere so long after it ended at Greenwich, and begins nowhere sooner than so long before.
AROUND_THE_EARTH = timedelta(days=2)


class Everyone(forms.Form):
    """To whom: a segment as it is at that moment, or all."""

    segment = forms.ModelChoiceField(
        Segment.objects.order_by("name"),
        label="to the segment",
        required=False,
        empty_label="all who may be written to",
        help_text="As it is at that moment. Whoever comes in later does not get it.",
    )


class Moment(forms.DateTimeField):
    """A day and a time on the wall: no zone is meant yet."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, str) and value:
            try:
                value = datetime.fromisoformat(value.strip())
            except ValueError:
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
        if isinstance(value, datetime):
            return value.replace(tzinfo=None, microsecond=0)
        return None

    def prepare_value(self, value: Any) -> Any:
        return value


@triggers.register
class OnDate(Trigger):
    """Lets in everybody of a segment at one moment: the same instant for all by the shop's clock, or that
    time of day where each person lives, zone by zone as the day goes round.

    Who is meant is asked at each zone's own moment: whoever comes into the segment after it does not get it,
    whoever lives further west and comes in before theirs does. Launched after the moment it lets nobody in
    any more; after an outage it goes on for a day. Each person once, whatever the re-entry time.
    """

    key = "campaigns.on_date"
    label = "On a date, to everybody of a segment"
    group = "Time"
    is_planned = True
    asks_reentry = False

    class Params(Everyone):
        at = Moment(label="at", help_text="Mid-morning is read most: ten o'clock.")
        zone = forms.ChoiceField(
            label="by the clock",
            choices=ZONES,
            initial=PERSON,
            help_text="Whose zone is not known lives where the shop is.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        at, segment = params["at"], params["segment"]
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        struck = broadcasting.strikes(_entry_on(at), at.time(), params["zone"], since, now)
        if not struck:
            return []
        people = broadcasting.meant(campaign, segment, struck, now)
        return [
            Entrant(
                contact_id=row.contact_id,
                entry=row.entry_of,
                qualified_at=row.due_at,
                is_test=row.contact_is_test,
                evidence=broadcasting.evidence(row, segment),
            )
            for row in people[:limit]
        ]

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:date:{contact_id}", now, is_test=True)

    def planned(self, params: dict[str, Any], since: datetime, until: datetime) -> Sequence[datetime]:
        return broadcasting.moments(_entry_on(params["at"]), params["at"].time(), since, until)

    def missed(self, params: dict[str, Any], now: datetime) -> Missed | None:
        at, zone = params["at"], params["zone"]
        day = datetime.combine(at.date(), time(), UTC)
        if now < day - AROUND_THE_EARTH:
            return None
        ahead = broadcasting.strikes(_entry_on(at), at.time(), zone, now, day + AROUND_THE_EARTH)
        moment = f"{at:%H:%M} on {at.day} {at:%B %Y}"
        if not ahead:
            where = "everywhere" if zone == PERSON else "where the shop is"
            words = f"It is past {moment} {where}, so nobody would get it: choose a moment still to come."
            return Missed(words, by_all=True)
        if sum(len(strike.zones) for strike in ahead) == len(zones()):
            return None
        at_home = "" if any(strike.at_home for strike in ahead) else ", the shop’s own among them"
        words = (
            f"It is past {moment} in some time zones already{at_home}: people there would not get it. "
            "Choose a later moment, if they should."
        )
        return Missed(words, by_all=False)

    def sentence(self, params: dict[str, Any]) -> str:
        at = params["at"]
        where = dict(ZONES)[params["zone"]]
        to = f"the segment “{params['segment']}”" if params["segment"] else "all who may be written to"
        return f"On {at.day} {at:%B %Y} at {at:%H:%M}, {where}, to {to}"


def _entry_on(at: datetime) -> Callable[[date], str]:
    """The entry of its day, and none of any other."""
    entry = f"date:{at.isoformat(timespec='minutes')}"
    return lambda day: entry if day == at.date() else ""
