"""When something happened: ever, in the last days, or between two days of the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from crm.conditions.words import day
from crm.shop.settings import shop_zone


class SpanForm(forms.Form):
    """The last days, or from one day to another; all blank means ever."""

    within_days = forms.IntegerField(
        label="in the last days", min_value=1, max_value=36_500, required=False, help_text="Blank: ever."
    )
    from_day = forms.DateField(
        label="or from", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    to_day = forms.DateField(
        label="to", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("from_day"), cleaned.get("to_day")
        if cleaned.get("within_days") and (first or last):
            self.add_error("within_days", "say either the last days or days of the calendar, not both")
        if first and last and first > last:
            self.add_error("to_day", "this day comes before the first one")
        return cleaned


@dataclass(frozen=True)
class Span:
    """A stretch of time. The last days move with the instant asked about; days of the calendar do not."""

    within_days: int | None = None
    from_day: date | None = None
    to_day: date | None = None

    @property
    def is_ever(self) -> bool:
        return not (self.within_days or self.from_day or self.to_day)

    def q(self, at: datetime, column: str = "occurred_at") -> Q:
        """Rows inside of it, as of an instant; that they lie before that instant is for others to say."""
        if self.within_days:
            return Q(**{f"{column}__gt": at - timedelta(days=self.within_days)})
        inside = Q()
        if self.from_day:
            inside &= Q(**{f"{column}__gte": begins(self.from_day)})
        if self.to_day:
            inside &= Q(**{f"{column}__lt": begins(self.to_day + timedelta(days=1))})
        return inside

    def one_sided(self, at: datetime) -> dict[str, Any] | None:
        """The same as a lookup of `occurred_at`, where one is enough; None where it takes two."""
        if self.within_days:
            return {"occurred_at__gt": at - timedelta(days=self.within_days)}
        if self.from_day and self.to_day:
            return None
        if self.from_day:
            return {"occurred_at__gte": begins(self.from_day)}
        return {"occurred_at__lt": begins(self.to_day + timedelta(days=1))} if self.to_day else {}

    def passed(
        self, rows: QuerySet[Any], since: datetime, at: datetime, column: str = "occurred_at"
    ) -> Sequence[QuerySet[Any]]:
        """The contacts of rows that time alone moved out of it between two instants."""
        return [turned(rows, self.within_days, since, at, column)] if self.within_days else []

    @property
    def words(self) -> str:
        if self.within_days:
            return "in the last day" if self.within_days == 1 else f"in the last {self.within_days:,} days"
        if self.from_day and self.to_day:
            if self.from_day == self.to_day:
                return f"on {day(self.from_day)}"
            return f"between {day(self.from_day)} and {day(self.to_day)}"
        if self.from_day:
            return f"since {day(self.from_day)}"
        return f"until {day(self.to_day)}" if self.to_day else ""


def span_of(params: dict[str, Any]) -> Span:
    return Span(params["within_days"], params["from_day"], params["to_day"])


def begins(first: date) -> datetime:
    """The instant a day begins where the shop is."""
    return datetime.combine(first, time(), tzinfo=shop_zone())


def turned(
    rows: QuerySet[Any], days: int, since: datetime, at: datetime, column: str = "occurred_at"
) -> QuerySet[Any]:
    """The contacts of rows that became so many days old between two instants."""
    age = timedelta(days=days)
    aged = {f"{column}__gt": since - age, f"{column}__lte": at - age}
    return rows.filter(**aged).order_by().values("contact_id")
