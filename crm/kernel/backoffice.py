"""Our own thin layer over django-unfold: everything the admin is built of, with the defaults of this house.

Admin modules import from here alone, so that the theme can be changed or upgraded in one place.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib.admin import register
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db import connections, models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from import_export.admin import ImportExportModelAdmin as _ImportExport
from import_export.formats.base_formats import CSV, XLSX
from unfold.admin import ModelAdmin as _ModelAdmin
from unfold.admin import StackedInline as _StackedInline
from unfold.admin import TabularInline as _TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesCheckboxFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    FieldTextFilter,
    MultipleChoicesDropdownFilter,
    RangeDateFilter,
    RangeDateTimeFilter,
    RangeNumericFilter,
    RelatedDropdownFilter,
    TextFilter,
)
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.contrib.inlines.admin import NonrelatedStackedInline as _NonrelatedStackedInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import (
    CHECKBOX_CLASSES,
    INPUT_CLASSES,
    RADIO_CLASSES,
    SELECT_CLASSES,
    TEXTAREA_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

__all__ = [
    "ActionVariant",
    "AdminPasswordChangeForm",
    "AutocompleteSelectFilter",
    "BooleanRadioFilter",
    "ChoicesCheckboxFilter",
    "ChoicesDropdownFilter",
    "DropdownFilter",
    "EstimatedPaginator",
    "ExactFilter",
    "FieldTextFilter",
    "ImportExportAdmin",
    "ImportForm",
    "ModelAdmin",
    "MultipleChoicesDropdownFilter",
    "NonrelatedStackedInline",
    "RangeDateFilter",
    "RangeDateTimeFilter",
    "RangeNumericFilter",
    "ReadOnlyAdmin",
    "ReadOnlyTabularInline",
    "RelatedDropdownFilter",
    "StackedInline",
    "TabularInline",
    "TextFilter",
    "UnfoldAdminSelectWidget",
    "UnfoldAdminSingleDateWidget",
    "UnfoldAdminSplitDateTimeWidget",
    "UnfoldAdminTextInputWidget",
    "UnfoldAdminTextareaWidget",
    "UnfoldBooleanSwitchWidget",
    "UserChangeForm",
    "UserCreationForm",
    "WebAddress",
    "action",
    "display",
    "dress",
    "register",
]


def dress[F: forms.BaseForm](form: F, names: Collection[str] | None = None) -> F:
    """The same form in the theme's clothes, whatever plain widgets its fields (or those named) came with."""
    for name, field in form.fields.items():
        if names is not None and name not in names:
            continue
        for widget in getattr(field.widget, "widgets", [field.widget]):
            classes = next((found for sort, found in _CLOTHES if isinstance(widget, sort)), INPUT_CLASSES)
            widget.attrs["class"] = " ".join([*classes, widget.attrs.get("class", "")]).strip()
    return form


_CLOTHES: list[tuple[type[forms.Widget], list[str]]] = [
    (forms.CheckboxSelectMultiple, CHECKBOX_CLASSES),
    (forms.RadioSelect, RADIO_CLASSES),
    (forms.Select, SELECT_CLASSES),
    (forms.CheckboxInput, CHECKBOX_CLASSES),
    (forms.Textarea, TEXTAREA_CLASSES),
]


class WebAddress(forms.URLField):
    """A web address; one typed without its scheme is taken as https."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"assume_scheme": "https"} | kwargs))


class EstimatedPaginator(Paginator):
    """Counts small lists exactly and estimates large ones from the planner, for a count reads every row."""

    worth_counting = 20_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        estimate = _planned_rows(rows)
        return estimate if estimate > self.worth_counting else rows.count()


class ModelAdmin(_ModelAdmin):
    """The admin page of a model as this house wants it: no counting of large tables, fifty a page."""

    show_full_result_count = False
    paginator = EstimatedPaginator
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    warn_unsaved_form = True
    actions_on_top = True
    compressed_fields = True
    formfield_overrides = {models.URLField: {"form_class": WebAddress, "widget": UnfoldAdminTextInputWidget}}

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only what a list offers as its filter may be asked for: no column is guessed letter by letter."""
        offered = [one[0] if isinstance(one, tuple) else one for one in self.get_list_filter(request)]
        if lookup in {getattr(one, "parameter_name", None) for one in offered}:
            return True
        named = [one for one in offered if isinstance(one, str)]
        if not any(lookup == one or lookup.startswith(f"{one}__") for one in named):
            return False
        return super().lookup_allowed(lookup, value, request)


class _NothingChanges:
    """What the program writes is shown, and changed by nobody here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(_NothingChanges, ModelAdmin):
    """Rows that are history: deliveries, decisions, events. Actions still need permissions of their own."""


class ExactFilter(TextFilter):
    """Rows whose column is exactly what was typed: a look into an index, no list of all values there are."""

    @classmethod
    def on(cls, column: str, title: str) -> type[ExactFilter]:
        return type(f"Exact{column}", (cls,), {"parameter_name": column, "title": title})

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        if not value:
            return queryset
        return queryset.none() if "\0" in value else queryset.filter(**{str(self.parameter_name): value})


class TabularInline(_TabularInline):
    """Rows edited in place, one line each."""

    extra = 0
    show_change_link = False


class StackedInline(_StackedInline):
    """Rows edited in place, one block each."""

    extra = 0


class NonrelatedStackedInline(_NonrelatedStackedInline):
    """Rows edited in place that hang on the page's object by more than one key."""

    extra = 0


class ReadOnlyTabularInline(_NothingChanges, TabularInline):
    """Rows shown in place."""

    show_title = False


class ImportExportAdmin(ModelAdmin, _ImportExport):
    """A page with spreadsheets in and out, through the resource classes of its app."""

    import_form_class = ImportForm
    export_form_class = ExportForm
    import_formats = export_formats = [CSV, XLSX]


def _planned_rows(rows: QuerySet[Any]) -> int:
    """How many rows the planner expects: near enough for large tables, and free."""
    try:
        sql, params = rows.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0
    with connections[rows.db].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])
