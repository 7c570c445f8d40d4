"""Cells of things that are sold, ordered or given away: money, numbers, days, each as we keep it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Any

from django import forms

from crm.models import Import
from crm.people import own_fields
from crm.sheets.matching import Target
from crm.sheets.persons.cells import REMEMBERED, country_code
from crm.sheets.reading import Look
from crm.sheets.subjects import Wrong
from crm.shop.settings import shop_zone

POINT, COMMA = ".", ","
DAY_FIRST, MONTH_FIRST = "day", "month"
LONGEST = 20_000
MOST = Decimal(9_999_999_999)
_YEARS = range(1995, 2100)
_YES = own_fields.TRUE_WORDS | {"ja", "oui", "si", "sí", "published", "active", "in stock", "instock"}
_NO = own_fields.FALSE_WORDS | {"nein", "non", "nee", "draft", "archived", "unlisted", "out of stock", "-1"}
# What stands beside an amount: a sign, a code such as EUR, or one of the short names there are.
_MONEY = r"(?:[A-Z]{0,3}[$€£¥₹₽₺₩₪₴₫฿]|[A-Za-z]{3}|kr\.?|Kč|zł|Ft|Fr\.?|Rs\.?)"
_FIGURE = re.compile(rf"(?:{_MONEY}\s*)?(-?)(?:{_MONEY}\s*)?(\d[\d.,]*?|[.,]\d+)(?:[.,]-)?(?:\s*{_MONEY})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_FLOAT = re.compile(r"(\d+)\.0")
_BETWEEN = re.compile(r"(?<=\d)[\s'’](?=\d)")
_DAY = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:[ T,]+(.+))?")
_PLAIN_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap]\.?m\.?)?", re.IGNORECASE)


class BlanksForm(forms.Form):
    """Which cells count as empty."""

    blanks = forms.CharField(
        label="Words that mean no answer",
        max_length=200,
        required=False,
        help_text="With commas between them, such as Select, n/a. They count as an empty cell.",
    )


def which_is_the_month() -> forms.ChoiceField:
    """The question how days with strokes are read."""
    choices = [("", "what the first rows show"), (DAY_FIRST, "3 April"), (MONTH_FIRST, "4 March")]
    return forms.ChoiceField(label="3/4/2026 is", choices=choices, required=False)


class SpellingForm(BlanksForm):
    """How figures and days are written, where the first rows of a file do not show it."""

    decimals = forms.ChoiceField(
        label="Before the cents stands",
        choices=[
            ("", "what the first rows show"),
            (POINT, "a point: 1,234.50"),
            (COMMA, "a comma: 1.234,50"),
        ],
        required=False,
    )
    dates = which_is_the_month()


@dataclass(frozen=True)
class Columns:
    """Which column says what, and how figures and days are written in this file."""

    at: Sequence[tuple[Target, int]]
    blanks: frozenset[str]
    decimals: str
    dates: str
    zone: tzinfo
    asked: frozenset[str] = frozenset()
    """Of which targets there is a column."""
    region: str = ""

    def read(self, cells: Sequence[str]) -> tuple[dict[str, Any], str]:
        """What a row says, by target, without blanks, as JSON can hold it; and what is wrong with it."""
        told: dict[str, Any] = {}
        refused = ""
        for target, place, meant in self._readers:
            cell = cells[place].strip().replace("\0", "") if place < len(cells) else ""
            if not cell or (self.blanks and own_fields.spelled(cell) in self.blanks):
                continue
            try:
                told[target.key] = meant(cell)
            except Wrong as wrong:
                refused = refused or f"{target.label} “{cell[:60]}”: {wrong}"
        return told, refused

    @cached_property
    def _readers(self) -> Sequence[tuple[Target, int, Callable[[str], Any]]]:
        """What reads each column. Its cells are mostly the same few: what they mean is remembered."""
        readers: list[tuple[Target, int, Callable[[str], Any]]] = []
        for target, place in self.at:
            known = _READERS.get(target.kind)
            meant = lru_cache(REMEMBERED)(partial(known, self)) if known else _text
            readers.append((target, place, meant))
        return readers


def columns(run: Import, targets: Iterable[Target]) -> Columns:
    """The columns of an import. What its options leave open, the first rows of the file decide."""
    look, mapping = Look.from_json(run.look), run.mapping
    by_key = {target.key: target for target in targets}
    at = [(by_key[key], int(column)) for column, key in mapping.items() if key in by_key]
    options: Mapping[str, str] = {"blanks": "", "decimals": "", "dates": "", "region": ""} | run.options

    def shown(*kinds: str) -> list[str]:
        return [row[place] for target, place in at if target.kind in kinds for row in look.samples]

    return Columns(
        at,
        frozenset(word for one in options["blanks"].split(",") if (word := own_fields.spelled(one))),
        options["decimals"] or _shown_decimals(shown("money", "number")),
        options["dates"] or _shown_dates(shown("date")),
        shop_zone(),
        frozenset(target.key for target, _ in at),
        options["region"].upper(),
    )


def _shown_decimals(cells: Iterable[str]) -> str:
    """What stands before the cents in the cells that leave no doubt; nothing where none does."""
    votes = {POINT: 0, COMMA: 0}
    for cell in cells:
        if found := _FIGURE.fullmatch(_BETWEEN.sub("", cell)):
            figure = found[2]
            last = max(figure.rfind(POINT), figure.rfind(COMMA))
            if last >= 0 and (POINT in figure) + (COMMA in figure) + (len(figure) - last - 1 != 3) > 1:
                votes[figure[last]] += figure.count(figure[last]) == 1
    return max(votes, key=lambda sign: votes[sign]) if votes[POINT] != votes[COMMA] else ""


def _shown_dates(cells: Iterable[str]) -> str:
    for cell in cells:
        if (found := _DAY.match(cell.strip())) and found[2] == "/":
            if int(found[1]) > 12:
                return DAY_FIRST
            if int(found[3]) > 12:
                return MONTH_FIRST
    return ""


def take_country(told: dict[str, Any], remarks: list[str]) -> None:
    """Spell the country as its code; one we do not know is left out and said."""
    if "country" in told:
        typed = told.pop("country")
        if code := country_code(typed):
            told["country"] = code
        else:
            remarks.append(f"country “{typed[:60]}” is no country we know: left out")


def take_currency(told: dict[str, Any]) -> None:
    """Spell the currency in capitals. Raises Wrong."""
    if "currency" in told:
        told["currency"] = told["currency"].upper()
        if not _CURRENCY.fullmatch(told["currency"]):
            raise Wrong(f"Currency “{told['currency'][:20]}”: write three letters such as EUR.")


def plain_id(number: str) -> str:
    """An id as it was before a program took it for a number."""
    found = _FLOAT.fullmatch(number)
    return found[1] if found else number


def _text(cell: str) -> str:
    return cell[:LONGEST]


def figure(columns: Columns, cell: str) -> Decimal:
    """A number, whatever stands between its thousands and before its cents. Raises Wrong, never guesses."""
    found = _FIGURE.fullmatch(_BETWEEN.sub("", cell))
    if not found:
        raise Wrong("is not a number")
    sign, digits = found[1], found[2]
    points, commas = digits.count(POINT), digits.count(COMMA)
    cents = ""
    if points and commas:
        cents = POINT if digits.rfind(POINT) > digits.rfind(COMMA) else COMMA
    elif points == 1:
        whole, _, rest = digits.partition(POINT)
        cents = "" if columns.decimals == COMMA and len(rest) == 3 and 0 < len(whole) <= 3 else POINT
    elif commas == 1:
        whole, _, rest = digits.partition(COMMA)
        may_be_grouped = len(rest) == 3 and 0 < len(whole) <= 3
        if may_be_grouped and not columns.decimals:
            raise Wrong("may be thousands or a little more than one: say what stands before the cents")
        if columns.decimals == POINT and not may_be_grouped:
            raise Wrong("has a comma where a point stands before the cents")
        cents = "" if may_be_grouped and columns.decimals == POINT else COMMA
    if cents and digits.count(cents) > 1:
        raise Wrong("is not a number")
    whole, _, rest = digits.partition(cents) if cents else (digits, "", "")
    bare = whole.replace(POINT, "").replace(COMMA, "")
    if bare != whole and not re.fullmatch(r"\d{1,3}([.,]\d{2,3})*[.,]\d{3}", whole):
        raise Wrong("is not a number")
    number = Decimal(f"{sign}{bare or 0}" + (f".{rest}" if rest else ""))
    if abs(number) > MOST:
        raise Wrong("is too large a number")
    return number


def _money(columns: Columns, cell: str) -> str:
    number = figure(columns, cell)
    if number < 0:
        raise Wrong("is below zero")
    return str(number)


def _number(columns: Columns, cell: str) -> str:
    return str(figure(columns, cell))


def _yes_no(columns: Columns, cell: str) -> bool:
    word = " ".join(cell.split()).casefold()
    if word in _YES or word in _NO:
        return word in _YES
    raise Wrong("is neither yes nor no")


def _moment(columns: Columns, cell: str) -> str:
    at = moment(cell, columns.dates)
    at = at if at.tzinfo else at.replace(tzinfo=columns.zone)
    if at.year not in _YEARS:
        raise Wrong("lies outside 1995 to 2100")
    return at.isoformat()


def moment(cell: str, dates: str) -> datetime:
    """A day or an instant as spreadsheets and shops write it, without a zone where none is said."""
    text = re.sub(r"\s+(?=[+-]\d\d:?\d\d$)|\s+(?=Z$)|\s*UTC$", "", " ".join(cell.split()))
    try:
        if found := _DAY.fullmatch(text):
            first, second, year = int(found[1]), int(found[3]), int(found[4])
            if found[2] == "/" and not dates and first <= 12 and second <= 12 and first != second:
                raise Wrong("may be a day of two months: say which of its numbers is the month")
            month_first = second > 12 or (found[2] == "/" and dates == MONTH_FIRST and first <= 12)
            day, month = (second, first) if month_first else (first, second)
            return datetime(year, month, day, *_time(found[5]))
        if found := _PLAIN_DAY.fullmatch(text):
            return datetime(*map(int, found.groups()))  # type: ignore[arg-type]
        return datetime.fromisoformat(text)
    except ValueError as error:
        if isinstance(error, Wrong):
            raise
        raise Wrong("is not a date; write it like 2026-11-23 or 2026-11-23 14:05") from None


def _time(text: str | None) -> tuple[int, int, int]:
    if not text:
        return 0, 0, 0
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError
    hour, half = int(found[1]), (found[4] or "").casefold()[:1]
    if half:
        hour = hour % 12 + 12 * (half == "p")
    return hour, int(found[2]), int(found[3] or 0)


_READERS: Mapping[str, Callable[[Columns, str], Any]] = {
    "money": _money,
    "number": _number,
    "yes_no": _yes_no,
    "date": _moment,
}
