"""A spreadsheet of people, read as a whole: which column says what, what each row says, and of whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.kernel import tokens
from crm.models import Channel, Contact, OwnField
from crm.people import identity, own_fields

SOURCE = "import"
ADDRESSES = {"email": Channel.EMAIL, "phone": Channel.SMS}
TOLD = ("first_name", "last_name", "language", "country", "time_zone")
TAKEN = (*ADDRESSES, *TOLD, "source")
EXTERNAL_ID = "external_id"
_CHUNK = 1000


class WrongFile(ValueError):
    """The file as a whole cannot be used; says what to do about it."""


@dataclass(frozen=True)
class Columns:
    """What the headings of a file mean to us. `identified_by`: the one that names people."""

    plain: tuple[str, ...]
    own: dict[str, OwnField]
    identified_by: str
    unused: tuple[str, ...]

    @property
    def headings(self) -> list[str]:
        first = [self.identified_by] if self.identified_by else []
        return [*first, *self.plain, *(heading for heading in self.own if heading != self.identified_by)]


def understood(headings: Iterable[Any], fields: Sequence[OwnField], identified_by: str = "") -> Columns:
    """Columns by their headings: ours by their names, the shop's own fields by label or key."""
    present = [heading for heading in headings if isinstance(heading, str) and heading.strip()]
    ours = own_fields.column_of(fields)
    named = EXTERNAL_ID if EXTERNAL_ID in present else ""
    if identified_by:
        named = next(
            (one for one in present if own_fields.spelled(one) == own_fields.spelled(identified_by)), ""
        )
        if not named:
            raise WrongFile(f"There is no column “{identified_by}”. The file has: {', '.join(present)}.")
    plain = tuple(heading for heading in present if heading in TAKEN)
    if not named and not set(plain) & set(ADDRESSES):
        raise WrongFile(
            "No column says who the people are. Head one of them email, phone or external_id, or name the"
            " column of their number in the form above."
        )
    own = {
        heading: ours[own_fields.spelled(heading)]
        for heading in present
        if heading not in (*TAKEN, EXTERNAL_ID) and own_fields.spelled(heading) in ours
    }
    used = {*plain, *own, named}
    return Columns(plain, own, named, tuple(heading for heading in present if heading not in used))


@dataclass
class Line:
    """One row: what it says of whom, what of it is news, or what is wrong with it."""

    told: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    external_id: str = ""
    wrong: dict[str, str] = field(default_factory=dict)
    contact: Contact | None = None
    is_new: bool = False
    news: set[str] = field(default_factory=set)

    def known(self) -> identity.Known:
        return identity.Known(**self.told, external_id=self.external_id)

    def to_resolve(self) -> identity.Known:
        """Blanks alone are filled: an address the person has stands, whatever the row says."""
        assert self.contact is not None
        kept = {name: getattr(self.contact, name) for name in ADDRESSES}
        return identity.Known(**(self.told | kept), external_id=self.external_id)


def read(rows: Iterable[Sequence[Any]], headings: Sequence[Any], columns: Columns, blanks: str) -> list[Line]:
    """Every row with what is wrong in it; `blanks` lists words that count as an empty cell."""
    nothing = {own_fields.spelled(word) for word in blanks.split(",")} | {""}
    lines = []
    for row in rows:
        cells = {
            heading: cell
            for heading, cell in zip(headings, row, strict=False)
            if cell is not None and not (isinstance(cell, str) and own_fields.spelled(cell) in nothing)
        }
        lines.append(_line(cells, columns))
    return lines


def recognise(lines: Sequence[Line], now: datetime) -> None:
    """Say of each good line whose it is and what it would bring. Fills what is blank, overwrites nothing."""
    good = [line for line in lines if not line.wrong]
    found = identity.recognise([line.known() for line in good], now, source=SOURCE)
    people = Contact.objects.in_bulk({pk for pk, is_new in found if not is_new})
    for line, (pk, is_new) in zip(good, found, strict=True):
        line.is_new = is_new and pk not in people
        line.contact = people.setdefault(pk, Contact(pk=pk, created_at=now))
        _take_in(line, line.contact)


def write(lines: Sequence[Line], now: datetime, *, actor: str) -> None:
    """Find or make the people of these lines and give them what they lack."""
    answers: dict[UUID, dict[str, Any]] = {}
    for start in range(0, len(lines), _CHUNK):
        chunk = lines[start : start + _CHUNK]
        for line, pk in zip(
            chunk, identity.resolve([line.to_resolve() for line in chunk], now, source=SOURCE), strict=True
        ):
            assert line.contact is not None
            line.contact.pk = pk
            if line.answers:
                answers[pk] = line.answers | answers.get(pk, {})
    own_fields.fill(answers, now, actor=actor)


def _line(cells: dict[str, Any], columns: Columns) -> Line:
    line = Line()
    for heading in columns.plain:
        line.told[heading] = str(cells.get(heading, "")).strip()
    for heading, channel in ADDRESSES.items():
        typed = line.told.get(heading)
        if typed:
            try:
                line.told[heading] = tokens.normalise(channel, typed)
            except ValueError as error:
                line.wrong[heading] = f"{typed}: {error}"
    line.external_id = _number_as_typed(cells.get(columns.identified_by))
    for heading, own in columns.own.items():
        try:
            value = own_fields.read(own, cells.get(heading))
        except own_fields.Unfit as unfit:
            line.wrong[heading] = str(unfit)
            continue
        if value is not None:
            line.answers[own.key] = value
    if not line.wrong and not identity.is_knowable(line.known()):
        heading = columns.identified_by or "email"
        line.wrong[heading] = (
            f"Every row needs its {heading}, an e-mail address or a telephone number."
            if columns.identified_by
            else "A row needs an e-mail address or a telephone number."
        )
    return line


def _number_as_typed(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _take_in(line: Line, contact: Contact) -> None:
    for name, value in line.told.items():
        if value and not getattr(contact, name):
            setattr(contact, name, value)
            line.news.add(name)
    for key, value in line.answers.items():
        if key not in contact.fields:
            contact.fields[key] = value
            line.news.add(f"own:{key}")
