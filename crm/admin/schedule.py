"""The schedule of django-celery-beat, in the admin's own look."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from crm.kernel.backoffice import ModelAdmin, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget


class TaskMenu(UnfoldAdminSelectWidget, beat.TaskSelectWidget):
    """The jobs there are, by name."""


class PeriodicTaskForm(beat.PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskMenu()


for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, ModelAdmin):
    form = PeriodicTaskForm
    list_display = ["name", "enabled", "scheduler", "last_run_at"]
    list_filter = ["enabled"]
    search_fields = ["name", "task"]
    date_hierarchy = None
    # Theirs carries a script in the page, which the policy of the admin forbids.
    change_form_template = None

    def get_actions(self, request: HttpRequest) -> Any:
        # Theirs ask for no permission.
        return super().get_actions(request) if self.has_change_permission(request) else {}


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):
    list_display = ["__str__", "every", "period"]


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(ModelAdmin):
    list_display = ["__str__", "human_readable"]


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ModelAdmin):
    list_display = ["__str__"]


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(ModelAdmin):
    list_display = ["__str__"]
