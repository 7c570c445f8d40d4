"""Who gets which leads, who is away, and when the desk is open."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from crm.admin.leads import board
from crm.kernel import clock, rules
from crm.kernel.backoffice import (
    ModelAdmin,
    OneRowAdmin,
    TabularInline,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    display,
    dress,
)
from crm.kernel.choosing import choosers
from crm.kernel.kinds import UnknownKind
from crm.models import Absence, AssignmentMember, AssignmentRule, DeskSettings, Weekday

LABELS = {"in use": "success", "off": "info", "broken": "danger"}


def _colleague_field(field: Any) -> Any:
    """Colleagues who work here, and no buttons for making one."""
    if field is not None:
        field.queryset = board.colleagues()
        for may in ("add", "change", "delete", "view"):
            setattr(field.widget, f"can_{may}_related", False)
    return field


class MemberInline(TabularInline):
    model = AssignmentMember
    fields = ["user", "position"]
    verbose_name_plural = "Colleagues who get them"
    min_num = 1

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return _colleague_field(field) if db_field.name in ("user", "stand_in") else field


class RuleForm(forms.ModelForm):
    chooser = forms.ChoiceField(
        label="One of them",
        choices=choosers.choices,
        widget=UnfoldAdminSelectWidget,
        help_text="How one of the colleagues below is chosen for each lead.",
    )

    class Meta:
        model = AssignmentRule
        fields = ["name", "is_active", "position", "definition", "rule", "chooser"]


@admin.register(AssignmentRule)
class AssignmentRuleAdmin(ModelAdmin):
    form = RuleForm
    inlines = [MemberInline]
    list_display = ["name", "position", "in_words", "who", "state"]
    list_editable = ["position"]
    sortable_by: list[str] = []
    ordering = ["position", "name"]
    fields = ["name", ("is_active", "position"), "definition", "rule", "chooser"]
    list_before_template = "crm/assignment_intro.html"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "rule":
            field.label = "Who it is for"
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[AssignmentRule]:
        return super().get_queryset(request).select_related("definition").prefetch_related("members__user")

    @display(description="Who it is for")
    def in_words(self, rule: AssignmentRule) -> str:
        meant = "everybody" if rules.is_blank(rule.rule) else f"people who {_spoken(rule.rule)}"
        return f"{meant}, leads of “{rule.definition}”" if rule.definition else meant

    @display(description="Goes to")
    def who(self, rule: AssignmentRule) -> str:
        names = ", ".join(str(member.user) for member in rule.members.all())
        try:
            return f"{names}: {choosers.get(rule.chooser).label}" if names else "nobody yet"
        except UnknownKind:
            return names

    @display(description="State", label=LABELS)
    def state(self, rule: AssignmentRule) -> str:
        if not rules.is_blank(rule.rule) and rules.problems(rule.rule):
            return "broken"
        return "in use" if rule.is_active else "off"


def _spoken(rule: Any) -> str:
    problems = rules.problems(rule)
    return f"… (cannot be read: {problems[0]})" if problems else rules.clause(rule)


class AbsenceForm(forms.ModelForm):
    from_day = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    to_day = forms.DateField(
        label="Until", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"), help_text="The last day away."
    )

    class Meta:
        model = Absence
        fields = ["user", "from_day", "to_day", "stand_in"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self, {"from_day", "to_day"} & set(self.fields))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("from_day"), cleaned.get("to_day")
        if first and last and last < first:
            self.add_error("to_day", "This is before the first day.")
        if cleaned.get("stand_in") and cleaned.get("stand_in") == cleaned.get("user"):
            self.add_error("stand_in", "Nobody stands in for themselves: choose somebody else, or nobody.")
        return cleaned


@admin.register(Absence)
class AbsenceAdmin(ModelAdmin):
    form = AbsenceForm
    list_display = ["user", "from_day", "to_day", "stand_in", "state"]
    list_select_related = ["user", "stand_in"]
    sortable_by = ["from_day"]
    fields = ["user", ("from_day", "to_day"), "stand_in"]
    list_before_template = "crm/absence_intro.html"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return _colleague_field(field) if db_field.name in ("user", "stand_in") else field

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        today = timezone.localtime(clock.now()).date()
        mine = {"user": request.user.pk, "from_day": today, "to_day": today}
        return mine | super().get_changeform_initial_data(request)

    @display(description="State")
    def state(self, absence: Absence) -> str:
        today = timezone.localtime(clock.now()).date()
        if absence.to_day < today:
            return "over"
        return "away now" if absence.from_day <= today else "to come"


class Days(forms.CharField):
    """Days, one a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(day.isoformat() for day in value or [])

    def clean(self, value: Any) -> list[date]:
        days = []
        for line in (super().clean(value) or "").split():
            try:
                days.append(date.fromisoformat(line))
            except ValueError:
                raise forms.ValidationError(f"“{line[:30]}” is no day: write it as 2026-12-25.") from None
        return sorted(set(days))


class DeskForm(forms.ModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label="Open on",
        choices=Weekday.choices,
        coerce=int,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": "Choose at least one day."},
    )
    holidays = Days(label="Closed on", required=False, help_text="One day a line, such as 2026-12-25.")

    class Meta:
        model = DeskSettings
        fields = [
            "weekdays",
            "opens_at",
            "closes_at",
            "holidays",
            "answer_hours",
            "touch_hours",
            "tells_on_site",
        ]
        # The hours are the shop's, so a browser's remarks about the server's zone would be wrong here.
        widgets = {
            "opens_at": UnfoldAdminTextInputWidget({"type": "time"}),
            "closes_at": UnfoldAdminTextInputWidget({"type": "time"}),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        opens, closes = cleaned.get("opens_at"), cleaned.get("closes_at")
        if opens and closes and closes <= opens:
            self.add_error("closes_at", f"This must be later in the day than {opens:%H:%M}.")
        return cleaned


@admin.register(DeskSettings)
class DeskSettingsAdmin(OneRowAdmin):
    saved = "Saved. It holds for leads handed over from now on."
    form = DeskForm
    fieldsets = [
        ("When the desk is open", {"fields": ["weekdays", ("opens_at", "closes_at"), "holidays"]}),
        ("How fast", {"fields": [("answer_hours", "touch_hours")]}),
        ("On the site", {"fields": ["tells_on_site"]}),
    ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        told = {"title": "Desk hours"}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | told)
