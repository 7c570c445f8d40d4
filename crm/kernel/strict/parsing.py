"""Bytes to values, with nothing in them that Python, PostgreSQL or a stack could stumble over."""

from __future__ import annotations

import json
import math
import re
from enum import StrEnum
from typing import Any, NamedTuple

REPLACEMENT = "\ufffd"
LARGEST = 2**63 - 1

_BOM = b"\xef\xbb\xbf"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# A string (also one that never ends) is one token, so that brackets within it are not counted. Possessive:
# each byte is looked at once, whatever the input.
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)


class Reason(StrEnum):
    """Why something was refused: what is counted, shown to operators, and answered to developers."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    ENCODING = "encoding"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    TOO_MANY = "too_many"
    DUPLICATE_KEY = "duplicate_key"
    NUMBER = "number"
    MISSING = "missing"
    UNKNOWN_FIELD = "unknown_field"
    TYPE = "type"
    TOO_LONG = "too_long"
    RANGE = "range"
    URL = "url"
    INSTANT = "instant"
    CHOICE = "choice"


class Refused(ValueError):
    """Input we do not take, with a reason to count and the field it is about, such as lines.2.price."""

    def __init__(self, reason: Reason | str, field: str = "") -> None:
        super().__init__(f"{field}: {reason}" if field else str(reason))
        self.reason = reason
        self.field = field


class Parsed(NamedTuple):
    """A value, and whether characters had to be replaced to make it storable."""

    value: Any
    sanitised: bool


def loads(body: bytes, *, max_bytes: int = 65_536, max_depth: int = 32, max_items: int = 10_000) -> Parsed:
    """The JSON document in a request's body, of any type at the top; or Refused, quickly."""
    if len(body) > max_bytes:
        raise Refused(Reason.TOO_LARGE)
    text = _decoded(body.removeprefix(_BOM))
    _refuse_depth(body, max_depth)
    reader = _Reader(max_items)
    try:
        value = json.loads(
            text,
            object_pairs_hook=reader.members,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except Refused:
        raise
    except (ValueError, RecursionError):
        raise Refused(Reason.NOT_JSON) from None
    # NUL and halves of surrogates can only have come by an escape: most bodies need no second look.
    if "\\u" in text:
        value = reader.cleaned(value)
    if text.count(",") >= max_items:
        reader.count_all(value)
    return Parsed(value, reader.sanitised)


def cleaned(text: str) -> Parsed:
    """A text from elsewhere (a header, a query) made storable: NUL and lone surrogates become U+FFFD."""
    clean = _UNSTORABLE.sub(REPLACEMENT, text)
    return Parsed(clean, clean != text)


def _decoded(body: bytes) -> str:
    if not body.strip():
        raise Refused(Reason.EMPTY)
    # UTF-16 and UTF-32 show in their NUL bytes; a NUL byte is no part of JSON either.
    if b"\0" in body:
        raise Refused(Reason.ENCODING)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Reason.ENCODING) from None


def _refuse_depth(body: bytes, max_depth: int) -> None:
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return
    depth = 0
    for match in _BRACKETS.finditer(body):
        if match[1]:
            depth += 1
            if depth > max_depth:
                raise Refused(Reason.TOO_DEEP)
        elif match[2]:
            depth -= 1


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > LARGEST:
        raise Refused(Reason.NUMBER)
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Refused(Reason.NUMBER)
    return value


def _no_constant(name: str) -> Any:
    raise Refused(Reason.NUMBER)


class _Reader:
    def __init__(self, max_items: int) -> None:
        self.sanitised = False
        self._left = max_items

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Refused(Reason.DUPLICATE_KEY)
        return found

    def cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            clean = _UNSTORABLE.sub(REPLACEMENT, value)
            self.sanitised |= clean != value
            return clean
        if isinstance(value, list):
            return [self.cleaned(item) for item in value]
        if isinstance(value, dict):
            return self.members([(self.cleaned(key), self.cleaned(item)) for key, item in value.items()])
        return value

    def count_all(self, value: Any) -> None:
        if isinstance(value, list | dict):
            self._left -= len(value)
            if self._left < 0:
                raise Refused(Reason.TOO_MANY)
            for item in value.values() if isinstance(value, dict) else value:
                self.count_all(item)
