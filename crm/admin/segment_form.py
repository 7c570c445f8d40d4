"""The form of a segment: its rule, and in words how often it is asked of everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from crm.audience import schedules
from crm.kernel import clock
from crm.kernel.backoffice import UnfoldAdminTextInputWidget, dress
from crm.models import Segment
from crm.shop.settings import this_shop

WHEN = ["every", "at", "weekday", "crontab_typed"]


def _shown_for(*plans: str, **attrs: str) -> dict[str, str]:
    return attrs | {"data-kind-of": "every", "data-kinds": " ".join(plans)}


class SegmentForm(forms.ModelForm):
    """The schedule is typed as people say it; the rows of the scheduler behind it are found or made."""

    every = forms.ChoiceField(
        label="Refreshed",
        choices=schedules.CHOICES,
        required=False,
        widget=forms.Select(attrs={"data-kind-menu": "every"}),
        help_text="When everybody is asked. People something changed for are asked again within a minute.",
    )
    at = forms.TimeField(
        label="At",
        required=False,
        widget=forms.TimeInput(
            format="%H:%M",
            attrs=_shown_for(schedules.DAY, schedules.WORKDAYS, schedules.WEEK, type="time"),
        ),
        help_text="In the shop's time.",
    )
    weekday = forms.TypedChoiceField(
        label="On",
        choices=list(enumerate(schedules.WEEKDAYS)),
        coerce=int,
        required=False,
        widget=forms.Select(attrs=_shown_for(schedules.WEEK)),
    )
    crontab_typed = forms.CharField(
        label="Crontab",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget(attrs=_shown_for(schedules.OWN, placeholder="0 6 1 * *")),
        help_text="Minute, hour, day of the month, month, weekday: “0 6 1 * *” is six on the first.",
    )

    class Media:
        js = ("rekindle/kinds.js",)

    class Meta:
        model = Segment
        fields = ["name", "description", "rule"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = schedules.plan_of(self.instance)
        if "every" not in self.fields:
            return
        if self.plan.every == schedules.KEPT:
            kept = (schedules.KEPT, schedules.in_words(self.instance))
            self.fields["every"].choices = [kept, *schedules.CHOICES]  # type: ignore[attr-defined]
        shown = self.plan.every, self.plan.at, self.plan.weekday, self.plan.crontab
        for name, value in zip(WHEN, shown, strict=True):
            self.fields[name].initial = value
        dress(self, {"every", "at", "weekday"})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "every" in cleaned and not any(name in self.errors for name in WHEN):
            self._read_plan(cleaned)
        return cleaned

    def _read_plan(self, cleaned: dict[str, Any]) -> None:
        every = cleaned["every"] or self.plan.every
        plan = schedules.Plan(every, crontab=" ".join(cleaned.get("crontab_typed", "").split()))
        if every in (schedules.DAY, schedules.WORKDAYS, schedules.WEEK):
            if cleaned.get("at") is None:
                self.add_error("at", "At which time of the day?")
                return
            weekday = cleaned["weekday"] if every == schedules.WEEK else plan.weekday
            plan = replace(plan, at=cleaned["at"], weekday=weekday)
        if every == schedules.OWN:
            try:
                schedules.check(plan, clock.now())
            except ValidationError as error:
                self.add_error("crontab_typed", error)
                return
        self.plan = plan

    def has_new_plan(self) -> bool:
        """Whether the schedule is to be another than the stored one."""
        if self.plan.every == schedules.KEPT or not set(WHEN) & set(self.fields):
            return False
        stored = schedules.plan_of(self.instance)
        nothing_said = self.instance.interval_id is None and self.instance.crontab_id is None
        return (
            nothing_said
            or replace(stored, crontab="") != replace(self.plan, crontab="")
            or (self.plan.every == schedules.OWN and stored.crontab != self.plan.crontab)
        )

    def keep_plan(self, segment: Segment) -> None:
        schedules.keep(segment, self.plan, this_shop().time_zone, clock.now())
