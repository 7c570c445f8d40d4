"""A list of the admin as one person sees it, without a browser: rows, columns, filters in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.contrib.admin import site
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.kernel.columns import Column
from crm.kernel.long_lists import without_place
from crm.sheets.exporting.columns import columns_of

PERMISSION = "crm.export_contacts"


class Refused(Exception):
    """This list does not leave for this person; says why."""


class Listing:
    """The list `label`, such as crm.contact, with filters and search as in the address `query`."""

    def __init__(self, label: str, query: str, user: Any) -> None:
        try:
            self.model = apps.get_model(label)
            self.admin: Any = site.get_model_admin(self.model)
        except (LookupError, ValueError):
            raise Refused("There is no such list.") from None
        except Exception as wrong:  # Django has its own words for a model without a page.
            raise Refused("There is no such list.") from wrong
        self.request = HttpRequest()
        self.request.method = "GET"
        self.request.GET = without_place(query)  # type: ignore[assignment]
        self.request.user = user
        if not may_export(self.admin, self.request):
            raise Refused("Whoever asked for this may not take this list away (any more).")

    def columns(self) -> dict[str, Column]:
        """By key; see `columns_of`."""
        return columns_of(self.admin, self.request)

    def changes(self) -> Any:
        """The change list, filtered and searched."""
        try:
            return self.admin.get_changelist_instance(self.request)
        except IncorrectLookupParameters:
            raise Refused("The filters of this list cannot be read. Set them again.") from None

    def rows(self, keys: Iterable[str], columns: Sequence[Column]) -> list[Any]:
        """The rows of these keys that are still there, in this order, in a fixed number of queries."""
        to_python = self.model._meta.pk.to_python
        wanted = [to_python(key) for key in keys]
        needs = {name for column in columns for name in column.needs}
        shown = self.admin.get_list_select_related(self.request)
        if isinstance(shown, (list, tuple)):
            needs.update(shown)
        found: QuerySet[Any] = self.admin.get_queryset(self.request).order_by()
        by_key = (found.select_related(*needs) if needs else found).in_bulk(wanted)
        return [by_key[key] for key in wanted if key in by_key]

    def at_most(self, most: int) -> int:
        """How many rows there are, counted as far as this and no further; lists themselves may estimate."""
        return int(self.changes().queryset.order_by()[:most].count())

    @property
    def title(self) -> str:
        return str(self.model._meta.verbose_name_plural)


def may_export(admin: Any, request: HttpRequest) -> bool:
    """Whether this person takes lists away, and may look at this one."""
    user: Any = request.user
    leaves = getattr(admin, "exports", False) and user.is_active and user.has_perm(PERMISSION)
    return bool(leaves and admin.has_view_or_change_permission(request))


def in_words(changes: Any) -> str:
    """Search and filters of a change list as a person would say them; blank where there are none."""
    said = [f"“{changes.query}”"] if changes.query else []
    for spec in changes.filter_specs:
        used = {name: value for name, value in spec.used_parameters.items() if value not in (None, "", [""])}
        if values := [_chosen(spec, one) for value in used.values() for one in _each(value)]:
            said.append(f"{spec.title}: {', '.join(values)}")
    return "; ".join(said)


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _chosen(spec: Any, value: Any) -> str:
    field = getattr(spec, "field", None)
    offered = [*(getattr(spec, "lookup_choices", None) or []), *(getattr(field, "flatchoices", None) or [])]
    # Some filters offer bare values, which are their own labels.
    pairs = [one for one in offered if isinstance(one, (list, tuple)) and len(one) > 1]
    labels = {str(key): str(label) for key, label, *_rest in pairs}
    if field is not None and field.get_internal_type() == "BooleanField":
        labels |= {"1": "yes", "0": "no", "True": "yes", "False": "no"}
    return labels.get(str(value), str(value))
