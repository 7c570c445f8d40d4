"""Values to the types a handler expects, field by field; the first that does not fit is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from crm.kernel.strict.parsing import Reason, Refused, cleaned

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?")
_WHOLE = re.compile(r"-?\d{1,19}")
_MISSING = object()


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: required unless told otherwise; null counts as missing."""

    required: bool = True
    default: Any = None

    def read(self, value: Any, name: str) -> Any:
        if value is None or value is _MISSING:
            if self.required:
                raise Refused(Reason.MISSING, name)
            return self.default
        return self.typed(value, name)

    def typed(self, value: Any, name: str) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """A text of a length. `cut` shortens what is too long instead of refusing it: titles, referrers."""

    max_length: int
    cut: bool = False
    blank: bool = True

    def typed(self, value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise Refused(Reason.TYPE, name)
        text = cleaned(value).value.strip()
        if len(text) > self.max_length:
            if not self.cut:
                raise Refused(Reason.TOO_LONG, name)
            text = text[: self.max_length]
        if not text and not self.blank:
            raise Refused(Reason.MISSING, name)
        return text


@dataclass(frozen=True, kw_only=True)
class Url(Field):
    """An http or https address that can be taken apart, without a user's name in it."""

    max_length: int = 2000

    def typed(self, value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise Refused(Reason.TYPE, name)
        address = value.strip()
        if len(address) > self.max_length:
            raise Refused(Reason.TOO_LONG, name)
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or "@" in parts.netloc or "\\" in address or not _is_visible(address):
            raise Refused(Reason.URL, name)
        return address


@dataclass(frozen=True, kw_only=True)
class Whole(Field):
    """A whole number within a range; numbers in quotes are taken, true and 1.5 are not."""

    least: int = 0
    most: int = 2**31 - 1

    def typed(self, value: Any, name: str) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refused(Reason.TYPE, name)
        if not self.least <= value <= self.most:
            raise Refused(Reason.RANGE, name)
        return value


@dataclass(frozen=True, kw_only=True)
class Decimals(Field):
    """A decimal number within a range, rounded to its places: money and quantities."""

    least: Decimal = Decimal(0)
    most: Decimal = Decimal("9999999999")
    places: int = 2

    def typed(self, value: Any, name: str) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Refused(Reason.TYPE, name)
        # The shortest spelling of a float is what the sender wrote.
        text = repr(value) if isinstance(value, float) else str(value).strip()
        if isinstance(value, str) and not _NUMBER.fullmatch(text):
            raise Refused(Reason.TYPE, name)
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise Refused(Reason.TYPE, name) from None
        if not number.is_finite() or not self.least <= number <= self.most:
            raise Refused(Reason.RANGE, name)
        return round(number, self.places)


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    """True or false, and nothing that merely looks like it."""

    def typed(self, value: Any, name: str) -> bool:
        if not isinstance(value, bool):
            raise Refused(Reason.TYPE, name)
        return value


@dataclass(frozen=True, kw_only=True)
class Instant(Field):
    """A moment as ISO 8601 with its zone, or as milliseconds since 1970, that a shop's data can mean."""

    earliest: datetime = datetime(1995, 1, 1, tzinfo=UTC)
    latest: datetime = datetime(2100, 1, 1, tzinfo=UTC)

    def typed(self, value: Any, name: str) -> datetime:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Refused(Reason.TYPE, name)
        try:
            moment = _moment(value)
        except (ValueError, OverflowError):
            raise Refused(Reason.INSTANT, name) from None
        if not self.earliest <= moment <= self.latest:
            raise Refused(Reason.RANGE, name)
        return moment


@dataclass(frozen=True, kw_only=True)
class Identifier(Field):
    """A UUID in its usual spelling."""

    def typed(self, value: Any, name: str) -> UUID:
        if not isinstance(value, str) or len(value) != 36:
            raise Refused(Reason.TYPE, name)
        try:
            return UUID(value)
        except ValueError:
            raise Refused(Reason.TYPE, name) from None


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a few words."""

    of: Iterable[str]

    def typed(self, value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in self.of:
            raise Refused(Reason.CHOICE, name)
        return value


@dataclass(frozen=True, kw_only=True)
class Many(Field):
    """A list of so many things of one sort at most."""

    of: Field | Schema
    most: int
    least: int = 0

    def typed(self, value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise Refused(Reason.TYPE, name)
        if len(value) > self.most:
            raise Refused(Reason.TOO_MANY, name)
        if len(value) < self.least:
            raise Refused(Reason.MISSING, name)
        return [self.of.read(item, f"{name}.{place}") for place, item in enumerate(value)]


@dataclass(frozen=True, kw_only=True)
class Properties(Field):
    """What a shop adds of its own: names with plain values, so many and so long at most."""

    most: int = 50
    max_length: int = 500

    def typed(self, value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Refused(Reason.TYPE, name)
        if len(value) > self.most:
            raise Refused(Reason.TOO_MANY, name)
        found: dict[str, Any] = {}
        for key, item in value.items():
            if len(key) > 100 or (isinstance(item, str) and len(item) > self.max_length):
                raise Refused(Reason.TOO_LONG, f"{name}.{key[:100]}")
            if not isinstance(item, str | int | float | bool | None):
                raise Refused(Reason.TYPE, f"{name}.{key}")
            found[cleaned(key).value] = cleaned(item).value if isinstance(item, str) else item
        return found


class Schema:
    """An object with known fields. Fields nobody asked for are left aside, or refused where `closed`."""

    def __init__(self, *, closed: bool = False, required: bool = True, **fields: Field | Schema) -> None:
        self.fields = fields
        self.closed = closed
        self.required = required

    def read(self, value: Any, name: str = "") -> Any:
        if (value is None or value is _MISSING) and not self.required:
            return None
        if value is _MISSING:
            raise Refused(Reason.MISSING, name)
        if not isinstance(value, Mapping):
            raise Refused(Reason.TYPE, name)
        prefix = f"{name}." if name else ""
        if self.closed and (extra := set(value) - set(self.fields)):
            raise Refused(Reason.UNKNOWN_FIELD, prefix + min(extra)[:100])
        return {key: field.read(value.get(key, _MISSING), prefix + key) for key, field in self.fields.items()}


def _moment(value: str | int | float) -> datetime:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            raise ValueError("an instant needs its zone")
        return moment.astimezone(UTC)
    return _EPOCH + timedelta(milliseconds=int(value))


def _is_visible(address: str) -> bool:
    return address.isprintable() and " " not in address
