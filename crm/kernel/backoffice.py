"""Our own thin layer over django-unfold: everything the admin is built of, with the defaults of this house.

Admin modules import from here alone, so that the theme can be changed or upgraded in one place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import register
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
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
from unfold.contrib.inlines.admin import NonrelatedStackedInline as _NonrelatedStackedInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.sites import UnfoldAdminSite as AdminSite
from unfold.widgets import (
    CHECKBOX_CLASSES,
    INPUT_CLASSES,
    RADIO_CLASSES,
    SELECT_CLASSES,
    TEXTAREA_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from crm.kernel import people_rows
from crm.kernel.columns import Column
from crm.kernel.long_lists import EstimatedPaginator, LongChangeList

__all__ = [
    "ActionVariant",
    "AdminOwnPasswordChangeForm",
    "AdminPasswordChangeForm",
    "AdminSite",
    "AutocompleteSelectFilter",
    "BooleanRadioFilter",
    "ChoicesCheckboxFilter",
    "ChoicesDropdownFilter",
    "DropdownFilter",
    "EstimatedPaginator",
    "ExactFilter",
    "FieldTextFilter",
    "ModelAdmin",
    "MultipleChoicesDropdownFilter",
    "NonrelatedStackedInline",
    "OneRowAdmin",
    "RangeDateFilter",
    "RangeDateTimeFilter",
    "RangeNumericFilter",
    "ReadOnlyAdmin",
    "ReadOnlyTabularInline",
    "RelatedDropdownFilter",
    "SheetsAdmin",
    "StackedInline",
    "TabularInline",
    "TextFilter",
    "UnfoldAdminCheckboxSelectMultipleWidget",
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


class ModelAdmin(_ModelAdmin):
    """The admin page of a model as this house wants it: no counting of large tables, fifty a page."""

    change_list_template = "crm/lists/change_list.html"
    exports = True
    """Whether its list may leave as a file, for those who may take lists away."""
    show_full_result_count = False
    paginator = EstimatedPaginator
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    warn_unsaved_form = True
    actions_on_top = True
    compressed_fields = True
    formfield_overrides = {models.URLField: {"form_class": WebAddress, "widget": UnfoldAdminTextInputWidget}}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of people this colleague gets to see: in lists, on pages, in actions, files, autocompletes."""
        return people_rows.narrowed(super().get_queryset(request), request.user)

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> Any:
        """Of people a form takes those alone."""
        rows = super().get_field_queryset(db, db_field, request)
        if not people_rows.columns(db_field.related_model):
            return rows
        every = db_field.related_model._default_manager if rows is None else rows
        return people_rows.narrowed(every.all(), request.user)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        """A row of somebody out of reach is not there, as one that never was."""
        if people_rows.columns(self.model):
            raise Http404("There is no such row.")
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        """Columns of the file beside those of the list and its pages, or in place of them."""
        return ()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        told = {"may_export": self.exports and request.user.has_perm("crm.export_contacts")}
        return super().changelist_view(request, (extra_context or {}) | told)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        return LongChangeList

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


class OneRowAdmin(ModelAdmin):
    """Settings: one row, which is there from the start and stays. Its list is its page."""

    exports = False
    compressed_fields = False
    saved = ""
    """What is said after saving, where Django's own words do not say from when on it holds."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._own_page()

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if not self.saved:
            return super().response_change(request, obj)
        messages.success(request, self.saved)
        return self._own_page()

    def _own_page(self) -> HttpResponse:
        meta = self.model._meta
        return redirect(f"admin:{meta.app_label}_{meta.model_name}_change", 1)


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


class SheetsAdmin(ModelAdmin):
    """A page whose rows come in as spreadsheets through the import of the subject it names."""

    sheet_subject = ""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may_import = request.user.has_perm("crm.import_contacts")
        told = {"sheet_subject": self.sheet_subject, "may_import": may_import}
        return super().changelist_view(request, (extra_context or {}) | told)
