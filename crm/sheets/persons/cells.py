"""What a row of a spreadsheet says of a person: every cell checked, spelled and typed as we keep it."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache, partial
from importlib import resources
from typing import Any

from django.conf.locale import LANG_INFO

from crm.kernel import tokens
from crm.models import Channel, ContactPoint, OwnField
from crm.people import identity, own_fields
from crm.sheets.subjects import MAKES, Staged, Wrong

SOURCE = "import"
NAMES = ("first_name", "last_name")
RULED = ("language", "country", "time_zone")
ADDRESSES = {"email": Channel.EMAIL, "phone": Channel.SMS}
OWN = "own:"
MOST_TAGS = 50
REMEMBERED = 1_000  # cells of a column
_LONGEST = 120
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
# An address with something beside it, such as a telephone number, a name or another address.
_ADDRESS = re.compile(r"(^|[\s,;/|<])[^\s@,;/|<>]+@[^\s@,;/|<>]+\.[^\s@,;/|<>]{2,}([\s,;/|>]|$)")
_MORE = "there is more in this cell than one e-mail address: leave one alone in it"


@dataclass(frozen=True)
class Columns:
    """Which column says what of a person, and how its cells are to be read."""

    at: Mapping[str, int]
    own: Mapping[int, OwnField] = field(default_factory=dict)
    blanks: frozenset[str] = frozenset()
    region: str = ""

    def said(self, cells: Sequence[str]) -> dict[str, str]:
        """What the cells of a row say, by target; blank ones are left out."""
        blanks, many = self.blanks, len(cells)
        return {
            target: cell
            for target, place in self.at.items()
            if place < many and (cell := cells[place].strip()) and not (blanks and cell.casefold() in blanks)
        }

    def answers(self, cells: Sequence[str]) -> dict[str, Any]:
        """What a row says of the shop's own fields, as it is kept. Raises Wrong."""
        answers: dict[str, Any] = {}
        for place, own, meant in self._readers:
            cell = cells[place].strip() if place < len(cells) else ""
            if not cell or (self.blanks and cell.casefold() in self.blanks):
                continue
            try:
                answers[own.key] = meant(cell)
            except own_fields.Unfit as unfit:
                raise Wrong(f"{own.label}: {unfit}") from None
        return answers

    @cached_property
    def _readers(self) -> Sequence[tuple[int, OwnField, Callable[[str], Any]]]:
        """What reads each column. Its cells are mostly the same few: what they mean is remembered."""
        return [
            (place, own, lru_cache(REMEMBERED)(partial(own_fields.read, own)))
            for place, own in self.own.items()
        ]


def columns(mapping: Mapping[str, str], headings: Sequence[str], blanks: str, region: str) -> Columns:
    """The columns of a mapping; fields that are to be made are typed already."""
    own = {one.key: one for one in OwnField.objects.all()}
    fields: dict[int, OwnField] = {}
    for column, target in mapping.items():
        place = int(column)
        if target.startswith(OWN) and (known := own.get(target.removeprefix(OWN))):
            fields[place] = known
        elif target.startswith(MAKES):
            fields[place] = to_make(headings[place], target)
    nothing = frozenset(word for one in blanks.split(",") if (word := own_fields.spelled(one)))
    at = {target: int(column) for column, target in mapping.items() if target}
    return Columns(at, fields, nothing, region.upper())


def to_make(heading: str, target: str) -> OwnField:
    """The field of the shop's own that a column asks for, not stored yet."""
    label = " ".join(heading.split())[:120]
    return OwnField(key=own_fields.key_from(label), label=label, type=target.removeprefix(MAKES))


def read(rows: Iterable[Sequence[str]], columns: Columns) -> list[Staged]:
    """What each row says of whom."""
    staged = [_read(cells, columns) for cells in rows]
    _as_hashed_before(staged)
    return staged


def _read(cells: Sequence[str], columns: Columns) -> Staged:
    remarks: list[str] = []
    row = Staged({})
    try:
        said = columns.said(cells)
        _who(row, said, columns.region, remarks)
        _what(row.told, said, remarks)
        if answers := columns.answers(cells):
            row.told["own"] = answers
    except Wrong as wrong:
        row.refused = str(wrong)
        return row
    if not (row.email_hash or row.outside_id or row.phone_hash):
        row.refused = (
            "Every row needs an e-mail address, a telephone number or their number elsewhere."
            if "external_id" in columns.at
            else "Every row needs an e-mail address or a telephone number."
        )
    row.remark = "; ".join(remarks)
    return row


def _who(row: Staged, said: Mapping[str, str], region: str, remarks: list[str]) -> None:
    told = row.told
    if email := said.get("email"):
        try:
            told["email"], row.email_hash, _ = tokens.spelled_and_hashed(Channel.EMAIL, email)
        except ValueError as error:
            why = _MORE if _ADDRESS.search(email) else error
            raise Wrong(f"E-mail “{email[:80]}”: {why}") from None
    if outside := said.get("external_id"):
        row.outside_id = identity.short(outside.removesuffix(".0"), 200)
        row.space = (said.get("source") or SOURCE)[:40]
        told["external_id"] = row.outside_id
    country = said.get("country")
    if country:
        if code := country_code(country):
            told["country"] = code
        else:
            remarks.append(f"country “{country[:60]}” is no country we know: left out")
    if phone := said.get("phone"):
        try:
            told["phone"], row.phone_hash, _ = tokens.spelled_and_hashed(
                Channel.SMS, phone, region=told.get("country") or region or None
            )
        except ValueError as error:
            if not (row.email_hash or row.outside_id):
                raise Wrong(f"Telephone “{phone[:40]}”: {error}") from None
            remarks.append(f"telephone “{phone[:40]}” is left out: {error}")


def _what(told: dict[str, Any], said: Mapping[str, str], remarks: list[str]) -> None:
    for name in NAMES:
        if value := said.get(name):
            told[name] = value[:_LONGEST]
    if whole := said.get("full_name"):
        first, last = split_name(whole)
        told.setdefault("first_name", first[:_LONGEST])
        if last:
            told.setdefault("last_name", last[:_LONGEST])
    if company := said.get("company"):
        told["company"] = " ".join(company.split())[:200]
    if source := said.get("source"):
        told["source"] = source[:60]
    if language := said.get("language"):
        if code := language_code(language):
            told["language"] = code
        else:
            remarks.append(f"language “{language[:40]}” is none we know, such as en or French: left out")
    if zone := said.get("time_zone"):
        if zone in _zones():
            told["time_zone"] = zone
        else:
            remarks.append(f"time zone “{zone[:40]}” is none such as Europe/Berlin: left out")
    if typed := said.get("tags"):
        words = (" ".join(word.split())[:60] for word in re.split(r"[,;|]", typed))
        told["tags"] = list(dict.fromkeys(word for word in words if word))[:MOST_TAGS]
    for name in ("consent", "consent_at"):
        if answer := said.get(name):
            told[name] = answer[:60]


def split_name(whole: str) -> tuple[str, str]:
    """A whole name as first and last: “Last, First” or “First Last”."""
    if whole.count(",") == 1:
        last, first = (part.strip() for part in whole.split(","))
        if first and last:
            return first, last
    first, _, last = " ".join(whole.split()).rpartition(" ")
    return (first, last) if first else (last, "")


def _as_hashed_before(staged: Sequence[Staged]) -> None:
    """An address that is known under the hash of an older key keeps that hash, so that it is found."""
    if not tokens.has_older_keys():
        return
    older: dict[tuple[str, bytes], list[tuple[Staged, str]]] = {}
    for row in staged:
        for name, channel in ADDRESSES.items():
            address = row.told.get(name)
            if address and not row.refused:
                for hashed in tokens.address_hashes(channel, address).values():
                    older.setdefault((channel, hashed), []).append((row, f"{name}_hash"))
    points = ContactPoint.objects.filter(address_hash__in=[digest for _, digest in older])
    for where, digest in points.values_list("channel", "address_hash"):
        for row, attribute in older.get((where, bytes(digest)), []):
            setattr(row, attribute, bytes(digest))


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@cache
def _countries() -> dict[str, str]:
    """Codes and English names, as the time zone database has them."""
    lines = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    found = {name.casefold(): code for code, name in pairs} | {code.casefold(): code for code, _ in pairs}
    return found | _OTHER_NAMES


_OTHER_NAMES = {
    "united kingdom": "GB", "great britain": "GB", "england": "GB", "uk": "GB", "scotland": "GB",
    "usa": "US", "united states of america": "US", "u.s.a.": "US", "deutschland": "DE", "österreich": "AT",
    "schweiz": "CH", "suisse": "CH", "the netherlands": "NL", "nederland": "NL", "holland": "NL",
    "españa": "ES", "belgië": "BE", "belgique": "BE", "italia": "IT", "czechia": "CZ", "korea": "KR",
    "south korea": "KR", "russian federation": "RU", "viet nam": "VN", "türkiye": "TR", "uae": "AE",
    "u.a.e.": "AE",
}  # fmt: skip


def country_code(typed: str) -> str:
    """The ISO code of a country by its code or its name; an empty text where it is neither."""
    if len(typed) == 2 and typed.isascii() and typed.isalpha():
        return typed.upper() if typed.casefold() != "uk" else "GB"
    return _countries().get(" ".join(typed.split()).casefold(), "")


@cache
def _languages() -> dict[str, str]:
    """Codes by the English name and the own name of a language."""
    found: dict[str, str] = {}
    for code, told in LANG_INFO.items():
        language, _, where = code.partition("-")
        spelled = f"{language}-{where.upper() if len(where) == 2 else where.title()}" if where else language
        for name in ("name", "name_local"):
            if name in told:
                found.setdefault(told[name].casefold(), spelled)
    return found


def language_code(typed: str) -> str:
    """A language by its code, as typed, or by its name; an empty text where it is neither."""
    if _LANGUAGE.fullmatch(typed) and len(typed) <= 12:
        return typed
    return _languages().get(" ".join(typed.split()).casefold(), "")
