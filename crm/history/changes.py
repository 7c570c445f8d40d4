"""Changes of what stands on a person, for the timeline: by whom, from what, to what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Value

from crm.kernel.timeline import Cursor, Entry, Search, Source, sources
from crm.models import Company, ContactChange, OwnField
from crm.people import own_fields


@sources.register
class Changes(Source):
    """Changes of attributes that rules use."""

    key = "crm.changes"
    label = "Changes"
    kinds = {"change": "Changes"}
    searched = ("field", "old", "new", "actor", Value("was by none no answer"))

    def every(self, contact_id: Any) -> QuerySet[ContactChange]:
        return ContactChange.objects.filter(contact=contact_id)

    def page(
        self,
        contact_id: Any,
        before: Cursor | None,
        limit: int,
        kinds: Collection[str] | None = None,
        search: Search | None = None,
    ) -> Sequence[Entry]:
        rows = list(self.finding(self.below(self.every(contact_id), before), search)[:limit])
        names = _names(rows)
        fields = _fields(rows)
        return [self._entry(change, names, fields) for change in rows]

    def _entry(
        self, change: ContactChange, names: Mapping[str, str], fields: Mapping[str, OwnField]
    ) -> Entry:
        if change.field == "fields":
            title, detail = _answers(change, fields)
        else:
            told = {True: _told(change.new), False: _told(change.old)}
            if change.field in ("owner", "company"):
                told = {is_new: names.get(key, key) for is_new, key in told.items()}
            title = f"{change.field.replace('_', ' ').capitalize()}: {told[True]}"
            detail = f"was {told[False]}" if change.old else ""
        return Entry(
            at=change.occurred_at,
            source=self.key,
            key=str(change.pk),
            kind="change",
            title=title,
            detail=", ".join(filter(None, [detail, f"by {change.actor}" if change.actor else ""])),
            icon="edit",
            data={"actor": change.actor},
        )


def _answers(change: ContactChange, fields: Mapping[str, OwnField]) -> tuple[str, str]:
    """Only the answers that are others than before."""
    old, new = change.old or {}, change.new or {}
    titles, details = [], []
    for key in dict.fromkeys([*new, *old]):
        if old.get(key) == new.get(key):
            continue
        label = fields[key].label if key in fields else key
        was, now = (_answer(fields.get(key), answers.get(key)) for answers in (old, new))
        titles.append(f"{label}: {now or 'no answer'}")
        if was:
            details.append(f"{label} was {was}")
    return ", ".join(titles) or "Own fields", ", ".join(details)


def _answer(field: OwnField | None, value: Any) -> str:
    if field is not None:
        return own_fields.told(field, value)
    return "" if value is None else str(value)


def _names(rows: Sequence[ContactChange]) -> dict[str, str]:
    """What colleagues and companies in these changes are called."""
    found: dict[str, str] = {}
    for field, model in (("owner", get_user_model()), ("company", Company)):
        keys = {key for row in rows if row.field == field for key in (row.old, row.new) if key}
        if keys:
            found |= {str(row.pk): str(row) for row in model._default_manager.filter(pk__in=keys)}
    return found


def _fields(rows: Sequence[ContactChange]) -> dict[str, OwnField]:
    if not any(row.field == "fields" for row in rows):
        return {}
    return {field.key: field for field in OwnField.objects.all()}


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in (None, "") else "none"
