"""Days and moments as acts ask for them, in the shop's own time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django import forms
from django.utils import timezone

A_MOMENT = timedelta(minutes=1)


class Day(forms.DateField):
    """A day, chosen or typed."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class Moment(forms.DateTimeField):
    """A day and a time of it."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def begins(day: date, at: time = time.min) -> datetime:
    """The instant at which a day begins in the shop, or a time of it."""
    return timezone.make_aware(datetime.combine(day, at))


def has_been(at: datetime, now: datetime) -> bool:
    """Whether it is past; what a form of this minute says counts as past."""
    return at <= now + A_MOMENT


def local(now: datetime) -> datetime:
    """The same instant as the shop's clocks show it."""
    return timezone.localtime(now)
