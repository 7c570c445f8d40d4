"""Contacts in spreadsheets: headings that are taken, and what a file of them says beyond their page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from crm.kernel.columns import Column
from crm.models import Contact, OwnField
from crm.people import own_fields

TAKEN = ("email", "phone", "first_name", "last_name", "language", "country", "time_zone", "source")
EXTERNAL_ID = "external_id"
_BOUGHT = {
    "orders": ("Orders", "order_count"),
    "spent": ("Spent", "spent"),
    "last_seen": ("Last here", "last_seen_at"),
}


def columns(own: Sequence[OwnField]) -> list[Column]:
    """What they bought, and the answers to the shop's own fields."""
    return [
        *(
            Column(key, label, partial(_engagement, field), ("engagement",), is_chosen=True)
            for key, (label, field) in _BOUGHT.items()
        ),
        *(Column(f"own.{one.key}", one.label, partial(_answer, one)) for one in own),
    ]


def _engagement(field: str, contact: Contact) -> Any:
    return getattr(getattr(contact, "engagement", None), field, None)


def _answer(own: OwnField, contact: Contact) -> Any:
    """Numbers and dates as such, all else as a person reads it."""
    value = contact.fields.get(own.key)
    if value is not None and own.type == OwnField.Type.DATE:
        return date.fromisoformat(value)
    return value if own.type == OwnField.Type.NUMBER else own_fields.told(own, value)
