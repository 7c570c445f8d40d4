"""Conditions about the shop's own fields that hold a day, by the day it is where each person lives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet, Value
from django.db.models.lookups import GreaterThanOrEqual, IRegex, LessThanOrEqual

from crm.conditions import menus
from crm.conditions.own_fields import ANSWERED, BLANK, GIVEN, OwnFieldCondition, answer, fields_of, needed
from crm.kernel.rules import Scope, conditions
from crm.models import OwnField
from crm.people import local_time, own_fields
from crm.people.changes import as_of

_DATES = [
    ("before", "is before"),
    ("after", "is after"),
    ("last", "is in the last so many days"),
    ("next", "is in the next so many days"),
    *ANSWERED,
]


@conditions.register
class OwnDate(OwnFieldCondition):
    """When a person's answer in a date field lies: before or after a day, or so many days around today, the
    day it is where they live. Today belongs to the last and to the next days.
    """

    key = "crm.own_date"
    label = "Own field: date"

    class Params(forms.Form):
        field = forms.ChoiceField(label="field", choices=fields_of(OwnField.Type.DATE))
        how = forms.ChoiceField(label="answer", choices=_DATES, initial="last")
        day = forms.DateField(
            label="day",
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            help_text="For before and after.",
        )
        days = forms.IntegerField(
            label="days",
            min_value=0,
            max_value=36_500,
            required=False,
            help_text="For the last and the next days.",
        )

        def clean(self) -> None:
            how = self.cleaned_data.get("how")
            if how in ("before", "after"):
                needed(self, "day")
            elif how in ("last", "next"):
                needed(self, "days")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if params["how"] in (GIVEN, BLANK):
            return self.given(params, at, scope)
        text = answer(params["field"], at, scope)
        is_date = Q(IRegex(text, r"^\d{4}-\d{2}-\d{2}$"))
        if params["how"] == "before":
            return is_date & Q(LessThanOrEqual(text, Value(_iso(params["day"] - timedelta(days=1)))))
        if params["how"] == "after":
            return is_date & Q(GreaterThanOrEqual(text, Value(_iso(params["day"] + timedelta(days=1)))))
        return is_date & local_time.by_day(
            as_of("time_zone", at, current=scope.current), at, lambda today: _around(text, today, params)
        )

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        if params["how"] not in ("last", "next"):
            return []
        return local_time.drifted(lambda then: self.q(params, then, scope), since, at)

    def asked(self, params: dict[str, Any]) -> str:
        if params["how"] in ("before", "after"):
            return f"{params['how']} {params['day'].day} {params['day']:%B %Y}"
        return f"in the {params['how']} {menus.in_days(params['days'])}"

    def in_words(self, field: OwnField, value: str) -> str:
        return own_fields.told(field, value)


def _around(text: Any, today: date, params: dict[str, Any]) -> Q:
    span = timedelta(days=params["days"])
    first, last = (today - span, today) if params["how"] == "last" else (today, today + span)
    return Q(GreaterThanOrEqual(text, Value(_iso(first)))) & Q(LessThanOrEqual(text, Value(_iso(last))))


def _iso(day: date) -> str:
    return day.isoformat()
