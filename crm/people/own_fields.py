"""Values of the shop's own fields: read from what was typed, told in words, kept with their history."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from crm.kernel.work import in_batches
from crm.models import Contact, ContactChange, OwnField
from crm.models.writing import update_rows
from crm.people.stirring import stir
from crm.shop.fitting import web_address

LONGEST = 500
_BATCH = 1000
_LARGEST = 10**15
TRUE_WORDS = frozenset({"yes", "y", "true", "1", "on"})
FALSE_WORDS = frozenset({"no", "n", "false", "0", "off"})
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


class Unfit(ValueError):
    """A value that a field cannot hold; says why, to be read beside the field."""


def read(field: OwnField, typed: Any) -> Any:
    """The value as it is kept, from what a form, a spreadsheet or an API brought; None is no answer.

    Raises Unfit rather than guess: 1,234 may be a thousand or a little more than one.
    """
    if isinstance(typed, str):
        typed = " ".join(typed.split())
    if typed is None or typed == "":
        return None
    return _READERS[field.type](field, typed)


def told(field: OwnField, value: Any) -> str:
    """A kept value as a person reads it."""
    if value is None or value == "":
        return ""
    if field.type == OwnField.Type.FLAG:
        return "yes" if value is True else "no"
    if field.type == OwnField.Type.DATE:
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            return str(value)
        return f"{day.day} {day:%B %Y}"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def key_from(label: str) -> str:
    """A key such as shoe_size from a label such as “Shoe size”."""
    plain = unicodedata.normalize("NFKD", label.casefold()).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)
    key = "_".join(words)[:60].strip("_")
    return key if key[:1].isalpha() else f"field_{key}"[:60].strip("_")


def column_of(fields: Iterable[OwnField]) -> dict[str, OwnField]:
    """Which field a heading of a spreadsheet means: its label or its key, whatever the case."""
    found: dict[str, OwnField] = {}
    for field in fields:
        found.setdefault(spelled(field.key), field)
    for field in fields:
        found.setdefault(spelled(field.label), field)
    return found


def spelled(heading: str) -> str:
    return " ".join(heading.split()).casefold()


def fill(answers: Mapping[UUID, Mapping[str, Any]], now: datetime, *, actor: str) -> int:
    """Give people answers where they had none; what is known stays. Returns how many learned something.

    A fixed number of queries a batch. Nobody can ask of the time before a person was
    known: whoever is new as of now gets no row of history.
    """
    changed = 0
    for batch in in_batches(sorted(answers), _BATCH):
        with transaction.atomic():
            changed += _fill(batch, answers, now, actor)
    return changed


def _fill(batch: list[UUID], answers: Mapping[UUID, Mapping[str, Any]], now: datetime, actor: str) -> int:
    locked = Contact.objects.filter(pk__in=batch).order_by("pk").select_for_update(no_key=True)
    rows: list[Contact] = []
    changes: list[ContactChange] = []
    for contact in locked:
        new = {name: value for name, value in answers[contact.pk].items() if name not in contact.fields}
        if not new:
            continue
        before = contact.fields
        contact.fields, contact.updated_at = before | new, now
        rows.append(contact)
        if contact.recorded_at != now:
            changes.append(
                ContactChange(
                    contact=contact,
                    field="fields",
                    old=before,
                    new=contact.fields,
                    actor=actor[:120],
                    occurred_at=now,
                    recorded_at=now,
                )
            )
    update_rows(rows, "fields", "updated_at")
    ContactChange.objects.bulk_create(changes, batch_size=_BATCH)
    stir(contact.pk for contact in rows)
    return len(rows)


def _text(field: OwnField, typed: Any) -> str:
    if isinstance(typed, float) and typed.is_integer():
        typed = int(typed)  # A spreadsheet's numbers are all floats.
    text = str(typed)
    if len(text) > LONGEST:
        raise Unfit(f"is longer than {LONGEST} letters")
    if "\0" in text:
        raise Unfit("holds a character that cannot be stored")
    return text


def _number(field: OwnField, typed: Any) -> int | float:
    if isinstance(typed, bool) or not isinstance(typed, int | float | Decimal | str):
        raise Unfit(f"“{typed}” is not a number")
    try:
        number = float(typed.replace(" ", "").replace("_", "?") if isinstance(typed, str) else typed)
    except (ValueError, OverflowError):
        raise Unfit(f"“{typed}” is not a number; write it like 1234.5") from None
    if not math.isfinite(number) or abs(number) >= _LARGEST:
        raise Unfit(f"“{typed}” is too large a number or none")
    return int(number) if number.is_integer() else number


def _date(field: OwnField, typed: Any) -> str:
    if isinstance(typed, datetime):
        return typed.date().isoformat()
    if isinstance(typed, date):
        return typed.isoformat()
    text = str(typed)
    try:
        if found := _DAY_FIRST.fullmatch(text):
            day, month, year = (int(part) for part in found.groups())
            return date(year, month, day).isoformat()
        return date.fromisoformat(text[:10] if text[10:11] in (" ", "T") else text).isoformat()
    except ValueError:
        raise Unfit(f"“{text}” is not a date; write it like 2026-11-23 or 23.11.2026") from None


def _flag(field: OwnField, typed: Any) -> bool:
    if isinstance(typed, bool):
        return typed
    if isinstance(typed, float) and typed.is_integer():
        typed = int(typed)
    word = str(typed).casefold()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise Unfit(f"“{typed}” is neither yes nor no")


def _choice(field: OwnField, typed: Any) -> str:
    text = _text(field, typed)
    for answer in field.choices:
        if str(answer).casefold() == text.casefold():
            return str(answer)
    raise Unfit(f"“{text}” is none of its answers: {', '.join(map(str, field.choices)) or 'it has none yet'}")


def _link(field: OwnField, typed: Any) -> str:
    """An address a browser may open; one typed without its scheme is taken as https."""
    text = _text(field, typed)
    url = web_address(text if "://" in text else f"https://{text}")
    if not url or "." not in url:
        raise Unfit(f"“{text}” is no web address; write it like https://www.linkedin.com/in/…")
    return url


def _words(field: OwnField, typed: Any) -> str:
    """Words with a comma between them, each once."""
    words = (" ".join(word.split()) for word in re.split(r"[,;]", _text(field, typed)))
    return ", ".join({word.casefold(): word for word in words if word}.values())


_READERS: dict[str, Callable[[OwnField, Any], Any]] = {
    OwnField.Type.TEXT: _text,
    OwnField.Type.NUMBER: _number,
    OwnField.Type.DATE: _date,
    OwnField.Type.FLAG: _flag,
    OwnField.Type.CHOICE: _choice,
    OwnField.Type.LINK: _link,
    OwnField.Type.WORDS: _words,
}
