"""The filters a template may use, each with a cap on what goes in, comes out and is spent in all.

Liquid's own limits stop loops and assignments, but a chained `replace` can still take gigabytes; so nothing
is registered that is not named here, and `safe` and its like are not.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from liquid import Environment
from liquid.builtin import filters as builtin
from liquid.exceptions import FilterArgumentError, LiquidError, ResourceLimitError
from liquid.filter import with_context
from liquid.undefined import is_undefined

LONGEST_TEXT = 50_000
LONGEST_LIST = 1_000
LARGEST_NUMBER = 10**15
_ITEM_WEIGHT = 50

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "UAH": "₴"}
_WHOLE = {"JPY", "KRW", "CLP", "VND", "ISK", "HUF"}
_FORMAT = re.compile(r"(?:%-?[aAbBdeHIjmMpuyY%]|[^%]){1,60}").fullmatch
_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>\"'`\\\x00-\x20\x7f]{1,2000}").fullmatch
_CSS = re.compile(r"[#A-Za-z0-9 .,%-]{1,80}").fullmatch


def money(value: object, currency: object = "") -> str:
    """`{{ line.price | money: cart.currency }}`: €1,234.50, ¥900, 12.00 CHF."""
    if value is None or value == "" or is_undefined(value):
        return ""
    code = "" if currency is None or is_undefined(currency) else str(currency).upper()[:3]
    try:
        amount = Decimal(str(value))
        shown = f"{abs(amount):,.{0 if code in _WHOLE else 2}f}"
    except (InvalidOperation, ValueError):
        return ""
    sign = "-" if amount < 0 else ""
    return f"{sign}{_SYMBOLS[code]}{shown}" if code in _SYMBOLS else f"{sign}{shown} {code}".rstrip()


def as_date(value: object) -> date | None:
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return None


def date_(value: object, form: object = "%-d %B %Y") -> str:
    """`{{ order.placed_at | date: "%-d %B" }}`; anything that is no date is left out."""
    found = as_date(value)
    if not isinstance(form, str) or not _FORMAT(form):
        raise FilterArgumentError(f"date does not know the format {str(form)[:60]!r}", token=None)
    return found.strftime(str(form)) if found else ""


def days_until(value: object, *, context: Any) -> object:
    """Whole days from `now` to a date, 0 on the day itself; blank without either."""
    until, now = as_date(value), context.resolve("now", default=None)
    if until is None or not isinstance(now, datetime):
        return ""
    if isinstance(until, datetime):
        zone = until.tzinfo or now.tzinfo or UTC
        until = until.date()
        now = now.astimezone(zone)
    return (until - now.date()).days


def link(value: object, otherwise: str = "#") -> object:
    """The value if it is a web, mail or telephone link, else something harmless."""
    return value if isinstance(value, str) and _LINK(value) else otherwise


def link_part(value: object) -> object:
    """The value as a part of a link: nothing in it ends the link or breaks its line."""
    return quote(_text(value), safe="/:?#@!$&()*+,;=%~-._")


def css(value: object) -> object:
    """The value if it is a colour, a number or a name, else nothing."""
    return value if isinstance(value, str) and _CSS(value) else ""


def replace(value: object, old: object, new: object = "") -> object:
    text, old, new = _text(value), _text(old), _text(new)
    if len(text) + text.count(old) * (len(new) - len(old)) > LONGEST_TEXT:
        raise ResourceLimitError(f"a text of more than {LONGEST_TEXT} characters", token=None)
    return text.replace(old, new)


def join(value: object, separator: object = " ") -> object:
    parts = [_text(part) for part in value] if isinstance(value, list | tuple) else [_text(value)]
    between = _text(separator)
    if sum(map(len, parts)) + len(between) * len(parts) > LONGEST_TEXT:
        raise ResourceLimitError(f"a text of more than {LONGEST_TEXT} characters", token=None)
    # Plain str, so that the whole is escaped on output whatever it was put together from.
    return str.__str__(between).join(str.__str__(part) for part in parts)


def _text(value: object) -> str:
    if value is None or is_undefined(value):
        return ""
    return value if isinstance(value, str) else str(value)


ALLOWED: dict[str, Callable[..., Any]] = {
    "money": money,
    "date": date_,
    "days_until": with_context(days_until),
    "link": link,
    "link_part": link_part,
    "css": css,
    "replace": replace,
    "join": join,
    "default": builtin.misc.default,
    "size": builtin.misc.size,
    **{
        name: getattr(builtin.string, name)
        for name in (
            "append", "capitalize", "downcase", "escape", "lstrip", "newline_to_br", "prepend",
            "remove", "remove_first", "remove_last", "replace_first", "replace_last", "rstrip",
            "split", "squish", "strip", "truncate", "truncatewords", "upcase", "url_encode",
        )
    },
    "slice": builtin.string.slice_,
    **{
        name: getattr(builtin.array, name)
        for name in ("first", "last", "reverse", "sort", "sort_natural", "where")
    },
    "map": builtin.array.map_,
    "sum": builtin.array.sum_,
    "abs": builtin.math.abs_,
    "round": builtin.math.round_,
    **{
        name: getattr(builtin.math, name)
        for name in ("at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "times")
    },
}  # fmt: skip


def register(environment: Environment) -> None:
    environment.filters = {name: _guarded(name, function) for name, function in ALLOWED.items()}


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    wants_environment = getattr(function, "with_environment", False)
    wants_context = getattr(function, "with_context", False)

    def guarded(*values: object, context: Any, **named: object) -> object:
        context.spend(sum(_weight(value) for value in (*values, *named.values())))
        if wants_environment:
            named["environment"] = context.env
        if wants_context:
            named["context"] = context
        try:
            result = function(*values, **named)
            context.spend(_weight(result))
        except LiquidError:
            raise
        except Exception as error:
            raise FilterArgumentError(f"{name}: {error}", token=None) from error
        return result

    return with_context(guarded)


def _weight(value: object) -> int:
    """What it costs to handle; refuses what is too large to be handled at all."""
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise ResourceLimitError(f"a text of more than {LONGEST_TEXT} characters", token=None)
        return len(value)
    if isinstance(value, list | tuple | range):
        if len(value) > LONGEST_LIST:
            raise ResourceLimitError(f"a list of more than {LONGEST_LIST} entries", token=None)
        return _ITEM_WEIGHT * len(value) + sum(len(one) for one in value if isinstance(one, str))
    if isinstance(value, int | float | Decimal) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise ResourceLimitError("a number that is too large", token=None)
    return 1
