"""Frequency limits and priority: one page for what holds for all campaigns together, each with its reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from campaigns.delivery import limits_report
from campaigns.models import ChannelLimit, FrequencySettings
from campaigns.seed import LIMITS
from crm.kernel import clock
from crm.kernel.backoffice import (
    OneRowAdmin,
    TabularInline,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    display,
)
from crm.kernel.patience import within
from crm.models import Purpose

REPORT_SECONDS = 3
UNITS = {"hours": timedelta(hours=1), "days": timedelta(days=1)}
_REASONS = {(limit.channel, limit.at_most, limit.within): limit.reason for limit in LIMITS}


class FrequencyForm(forms.ModelForm):
    class Meta:
        model = FrequencySettings
        fields = [
            "offers_a_day",
            "allowed_from",
            "allowed_until",
            "answers_minutes",
            "look_ahead_hours",
            "control_percent",
        ]
        # The hours are the person's, so a browser's remarks about the server's zone would be wrong here.
        widgets = {
            "allowed_from": UnfoldAdminTextInputWidget({"type": "time"}),
            "allowed_until": UnfoldAdminTextInputWidget({"type": "time"}),
        }
        labels = {
            "offers_a_day": "Offers a day",
            "allowed_from": "Messages leave from",
            "allowed_until": "Until",
            "answers_minutes": "An answer to a visit: minutes",
            "look_ahead_hours": "Wait for a better message: hours",
            "control_percent": "Shop-wide control group, percent",
        }
        help_texts = {
            "offers_a_day": "To one person, on one day of their own calendar, over all campaigns and "
            "channels. 1: a second offer on the same day makes both look cheap.",
            "allowed_from": "Where the person is. It holds for campaigns that keep quiet hours. 09:00: the "
            "day has begun, and the first mail of the morning is read.",
            "allowed_until": "Where the person is. 20:00: later a message disturbs, and many laws forbid "
            "it for text messages. What comes too late waits for the morning, and is late only counted from "
            "then.",
            "answers_minutes": "An e-mail about what somebody did in the shop so few minutes ago leaves at "
            "night, too. 30: whoever left a cart at 22:15 is still awake, and by the morning it is bought "
            "elsewhere.",
            "look_ahead_hours": "A message waits when a campaign with a lower number is due to write to the "
            "same person within so many hours. 4: the better one is worth half a day. 0: nobody waits for "
            "what is still to come.",
            "control_percent": "So many of all people get nothing from any campaign, always the same people, "
            "so that you can tell what all of it earns together. 5: enough to see it, and little lost. What "
            "people asked for is never held back. 0: nobody.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("allowed_from"), cleaned.get("allowed_until")
        if begins and ends and begins >= ends:
            self.add_error("allowed_until", f"This must be later in the day than {begins:%H:%M}.")
        return cleaned


class LimitForm(forms.ModelForm):
    """One limit, its while as a number and a unit."""

    length = forms.IntegerField(
        label="In",
        min_value=1,
        max_value=366,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )
    unit = forms.ChoiceField(
        label="Unit", choices=[(unit, unit) for unit in UNITS], initial="days", widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = ChannelLimit
        fields = ["channel", "at_most", "purpose"]
        labels = {"at_most": "At most", "purpose": "Of the purpose"}

    field_order = ["channel", "at_most", "length", "unit", "purpose"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        purposes: Any = self.fields["purpose"]
        purposes.queryset = Purpose.objects.filter(kind=Purpose.Kind.MARKETING).order_by("name")
        purposes.empty_label = "all together"
        if self.instance.within:
            number, unit = self.instance.span.split()
            self.initial.update(length=number, unit=f"{unit.removesuffix('s')}s")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"length", "unit"} <= cleaned.keys():
            self.instance.within = cleaned["length"] * UNITS[cleaned["unit"]]
        return cleaned


class LimitFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        """Two limits of the same while would be one too many: the lower holds anyway."""
        super().clean()
        met: set[tuple[Any, ...]] = set()
        for form in self.forms:
            if not form.is_valid() or (not form.has_changed() and not form.instance.pk):
                continue
            if form.cleaned_data.get("DELETE"):
                continue
            what = (form.instance.channel, form.instance.purpose_id, form.instance.within)
            if what in met:
                form.add_error(
                    "length", f"There is a limit for {form.instance.span} already: change that one."
                )
            met.add(what)


class LimitInline(TabularInline):
    model = ChannelLimit
    form = LimitForm
    formset = LimitFormSet
    fields = ["channel", "at_most", "length", "unit", "purpose", "why"]
    readonly_fields = ["why"]
    verbose_name = "limit"
    verbose_name_plural = "Limits of each channel, to one person"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Purposes are chosen here, and made elsewhere."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "purpose" and field is not None:
            for may in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{may}_related", False)
        return field

    @display(description="Why so many")
    def why(self, limit: ChannelLimit) -> str:
        return _REASONS.get((limit.channel, limit.at_most, limit.within), "Set by you")


@admin.register(FrequencySettings)
class FrequencyAdmin(OneRowAdmin):
    saved = "Saved. It holds from the next message on, also for those in the queue."
    form = FrequencyForm
    inlines = [LimitInline]
    change_form_outer_after_template = "campaigns/frequency_page.html"
    fieldsets = [
        ("Offers", {"fields": ["offers_a_day"]}),
        ("Hours of the day", {"fields": [("allowed_from", "allowed_until"), "answers_minutes"]}),
        ("Which message goes first", {"fields": ["look_ahead_hours"]}),
        ("What all of it earns", {"fields": ["control_percent"]}),
    ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        now = clock.now()
        told = {
            "title": "Frequency limits and priority",
            "campaigns": limits_report.in_order(),
            "held": within(REPORT_SECONDS, lambda: limits_report.held_lately(now)),
        }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | told)
