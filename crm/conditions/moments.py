"""Conditions about the moment it is for a person, where they live: their birthday, the hour, the weekday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import JSONObject, Substr
from django.db.models.lookups import In, IRegex

from crm.conditions import menus
from crm.conditions.own_fields import OwnFieldCondition, answer, fields_of
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Contact, OwnField
from crm.people import local_time, own_fields
from crm.people.changes import as_of

GROUP = "Moment"


@conditions.register
class Birthday(OwnFieldCondition):
    """Whose birthday, or another yearly day kept in a date field, is today or within the next days, by the
    day it is where they live. Who was born on 29 February has it on the 28th in other years.
    """

    key = "crm.birthday"
    label = "Birthday or another yearly day"
    group = GROUP

    class Params(forms.Form):
        field = forms.ChoiceField(label="field", choices=fields_of(OwnField.Type.DATE))
        days = forms.IntegerField(
            label="within the next days",
            min_value=0,
            max_value=365,
            initial=0,
            help_text="0: today. 7: today or one of the next seven days.",
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        text = answer(params["field"], at, scope)
        month_and_day = Substr(text, 6, 5, output_field=TextField())
        soon = local_time.by_day(
            as_of("time_zone", at, current=scope.current),
            at,
            lambda today: Q(In(month_and_day, _coming(today, params["days"]))),
        )
        return Q(IRegex(text, r"^\d{4}-\d{2}-\d{2}$")) & soon

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        return local_time.drifted(lambda then: self.q(params, then, scope), since, at)

    def sentence(self, params: dict[str, Any]) -> str:
        when = f"within the next {menus.in_days(params['days'])}" if params["days"] else "today"
        return f"have their yearly {self.field(params).label} {when}"

    def in_words(self, field: OwnField, value: str) -> str:
        return own_fields.told(field, value)


def _coming(today: date, days: int) -> list[str]:
    """The days of the year from today on, as months and days."""
    found = []
    for number in range(days + 1):
        day = today + timedelta(days=number)
        found.append(f"{day:%m-%d}")
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
            found.append("02-29")
    return sorted(set(found))


_WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@conditions.register
class LocalTime(Condition):
    """For whom it is now between two times of the day, or one of some weekdays, where they live. A span that
    ends before it begins goes over midnight. Who has no time zone lives in the shop's.
    """

    key = "crm.local_time"
    label = "Local time now"
    group = GROUP

    class Params(forms.Form):
        begins = forms.TimeField(
            label="from", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        )
        ends = forms.TimeField(
            label="until", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        )
        weekdays = forms.MultipleChoiceField(
            label="on",
            required=False,
            choices=[(str(number), day) for number, day in enumerate(_WEEK)],
            help_text=f"None: on every day. {menus.SEVERAL}",
            widget=forms.SelectMultiple(attrs={"size": 7}),
        )

        def clean(self) -> None:
            begins, ends = self.cleaned_data.get("begins"), self.cleaned_data.get("ends")
            if (begins is None) != (ends is None):
                self.add_error("ends" if ends is None else "begins", "Give both times, or none.")
            elif begins is None and not self.cleaned_data.get("weekdays"):
                self.add_error("begins", "Give two times or a weekday.")
            elif begins is not None and begins == ends:
                self.add_error("ends", "Both times are the same.")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        zone = as_of("time_zone", at, current=scope.current)
        return local_time.in_zones(zone, at, lambda local: _is_within(params, local))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        moved = local_time.turned(F("time_zone"), since, at, lambda local: _is_within(params, local))
        return [] if moved is None else [Contact.objects.filter(moved).values("pk")]

    def sentence(self, params: dict[str, Any]) -> str:
        parts = []
        if params["begins"] is not None:
            parts.append(f"between {params['begins']:%H:%M} and {params['ends']:%H:%M}")
        if params["weekdays"]:
            parts.append(f"on {menus.listed(_WEEK[int(number)] for number in params['weekdays'])}")
        return f"have it {' '.join(parts)} where they live"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return JSONObject(zone=as_of("time_zone", at, current=scope.current), at=Value(at.isoformat()))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        zone = local_time.zone_of(value["zone"])
        local = datetime.fromisoformat(value["at"]).astimezone(zone)
        return f"{_WEEK[local.weekday()]}, {local:%H:%M} in {zone.key}"


def _is_within(params: dict[str, Any], local: datetime) -> bool:
    """A night that began on a Friday belongs to Friday until it ends."""
    begins, ends = params["begins"], params["ends"]
    now: time = local.time()
    day = local.weekday()
    if begins is not None:
        over_midnight = ends < begins
        if over_midnight and now < ends:
            day = (day - 1) % 7
        elif over_midnight:
            if now < begins:
                return False
        elif not begins <= now < ends:
            return False
    return not params["weekdays"] or str(day) in params["weekdays"]
