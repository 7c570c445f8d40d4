"""Somebody's birthday, or another day of the year that is theirs."""

from __future__ import annotations

import calendar
import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from campaigns.flows import broadcasting, forward
from campaigns.flows.broadcasting import PERSON, Strike
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign
from crm.conditions.own_fields import fields_of
from crm.conditions.words import counted
from crm.models import Contact, Engagement, OwnField
from crm.shop.settings import this_shop

IN_THE_MORNING = time(9)
LATEST = timedelta(hours=12)
OLDEST = 120


@triggers.register
class Birthday(Trigger):
    """Lets in whoever has a day of the year that is theirs: a birthday, or any date in a field of the shop's
    own, so many days before it, at nine in the morning where they live.

    Who was born on 29 February has their day on the 28th of other years. Once a year a person, whatever the
    re-entry time. A day that was missed for more than twelve hours is not made up.
    """

    key = "campaigns.birthday"
    label = "Has a birthday"
    group = "Time"
    is_recorded = True
    asks_reentry = False
    looks_back = LATEST

    class Params(forms.Form):
        field = forms.ChoiceField(
            label="by the field",
            choices=fields_of(OwnField.Type.DATE),
            help_text="A date field of your own, under People, Own fields.",
        )
        days_before = forms.IntegerField(
            label="days before",
            min_value=0,
            max_value=60,
            initial=0,
            help_text="0: on the day itself.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        since = forward.since(campaign, now, LATEST)
        before = timedelta(days=params["days_before"])

        def entry_on(day: date) -> str:
            return f"birthday:{params['field']}:{(day + before).year}"

        struck = broadcasting.strikes(entry_on, IN_THE_MORNING, PERSON, since, now)
        if not struck:
            return []
        return [
            Entrant(
                contact_id=row.contact_id,
                entry=row.entry_of,
                qualified_at=row.due_at,
                is_test=row.contact_is_test,
                evidence={
                    params["field"]: row.contact.fields.get(params["field"]),
                    "day": (row.local_day + before).isoformat(),
                    "zone": row.zone_of or this_shop().time_zone,
                },
            )
            for row in self._people(params["field"], before, struck, campaign, now)[:limit]
        ]

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:birthday:{contact_id}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        field = OwnField.objects.filter(key=params["field"]).first()
        days = params["days_before"]
        when = f"{counted(days, 'day')} before" if days else "On"
        return f"{when} the day of “{field or params['field']}”, every year"

    def _people(
        self, field: str, before: timedelta, struck: Sequence[Strike], campaign: Campaign, now: datetime
    ) -> QuerySet[Any]:
        answers = {strike.day: _answers(field, strike.day + before) for strike in struck}
        theirs = Q()
        for day, given in answers.items():
            theirs |= Q(local_day=day) & Q(_given(F("contact__fields"), given))
        # Whole answers are found in an index: who has one of any of these days first.
        every = [answer for given in answers.values() for answer in given]
        people = Contact.objects.filter(_given(F("fields"), every)).values("pk")
        rows = Engagement.objects.filter(contact__in=people).select_related("contact")
        return may_enter(broadcasting.struck_for(rows, campaign, struck).filter(theirs), campaign, now, "")


def _answers(field: str, day: date) -> list[str]:
    """Every answer in the field that has its day then, as the documents that hold it."""
    days = [(day.month, day.day)]
    if days == [(2, 28)] and not calendar.isleap(day.year):
        days.append((2, 29))
    return [
        json.dumps({field: f"{year:04}-{month:02}-{number:02}"})
        for year in range(day.year - OLDEST, day.year + 1)
        for month, number in days
    ]


class _Documents(Value):
    """Documents as one array."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s::jsonb[]", (list(self.value),)


def _given(column: Any, documents: Sequence[str]) -> Func:
    """Whether a document holds one of these."""
    return Func(
        column,
        _Documents(tuple(documents)),
        template="%(expressions)s)",
        arg_joiner=" @> ANY(",
        output_field=BooleanField(),
    )
