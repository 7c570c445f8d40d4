"""What all formats have in common: rows by number, blank ones left out, as wide as the headings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from crm.sheets.formats import MOST_COLUMNS, MOST_SAMPLES, Unreadable, headings

_LOOKED_AT = 300
_NAMED = 5
_LAST_HEADINGS = 1000


class Record(NamedTuple):
    """A row as the format has it: numbered as a spreadsheet program does, any number of cells, maybe blank.
    A row that is `wrong` says why."""

    number: int
    cells: list[str]
    wrong: str


@dataclass
class Table:
    """A file that has been opened. Each format fills this in and overrides `records`."""

    format: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    def records(self) -> Iterator[Record]:
        """From the first row of the file, blank ones included. `notes` may grow on the way."""
        raise NotImplementedError


def seen(table: Table, header_row: int | None) -> dict[str, Any]:
    """The look of a table: where its headings are, what they are called, its first rows."""
    if header_row is not None and not 0 <= header_row <= _LAST_HEADINGS:
        raise Unreadable(f"Headings can stand in the first {_LAST_HEADINGS:,} rows.")
    start = list(islice(table.records(), max(_LOOKED_AT, (header_row or 0) + MOST_SAMPLES)))
    filled = [record for record in start if any(record.cells)]
    if filled and all(record.wrong for record in filled):
        raise Unreadable(f"No row can be read. Row {filled[0].number}: {filled[0].wrong}")
    if not filled:
        raise Unreadable("There is nothing in it. Choose the sheet or the file that has the rows.")
    if header_row is None:
        header_row = headings.found([record for record in filled if not record.wrong])
    above = [record for record in filled if record.number < header_row]
    below = [record for record in filled if record.number > header_row]
    heads = next((record.cells for record in filled if record.number == header_row), [])
    if header_row and not heads:
        raise Unreadable(f"Row {header_row} is blank or not there. Say in which row the headings stand.")
    good = [record.cells for record in below if not record.wrong]
    named = headings.named(heads, good)
    if len(named) > MOST_COLUMNS:
        raise Unreadable(
            f"It has {len(named):,} columns; at most {MOST_COLUMNS:,} can be read. Is it a table of people or"
            " products, with one of them in each row?"
        )
    notes = [*table.notes, *_of_titles(above)]
    if not header_row:
        notes.append("No row of headings was found: columns are called A, B, C.")
    if not below:
        notes.append("There is no row below the headings.")
    if repeated := headings.repeated(heads):
        notes.append(f"More than one column is called {repeated}.")
    return {
        "format": table.format,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "sheet": table.sheet,
        "sheets": table.sheets,
        "header_row": header_row,
        "headings": named,
        "samples": [fitted(cells, len(named))[0] for cells in good[:MOST_SAMPLES]],
        "notes": notes,
    }


class Read:
    """The rows below the headings, each as wide as they are; counts what it leaves out."""

    def __init__(self, table: Table, header_row: int, headings: list[str]) -> None:
        self.table, self.header_row, self.width = table, header_row, len(headings)
        self.blank: list[int] = []
        self.blanks = 0

    def __iter__(self) -> Iterator[Record]:
        heads: list[str] | None = None
        last = self.header_row
        for number, cells, wrong in self.table.records():
            if number <= self.header_row:
                if number == self.header_row:
                    heads = fitted(cells, self.width)[0]
                continue
            if not any(cells) and not wrong:
                continue
            if number > last + 1:
                self._leave_out(range(last + 1, number))
            last = number
            if not wrong and len(cells) != self.width:
                cells, wrong = fitted(cells, self.width)
            if cells == heads:
                wrong = "These are the headings once more."
            yield Record(number, cells, wrong)

    def notes(self) -> list[str]:
        said = list(self.table.notes)
        if self.blanks:
            rows = ", ".join(map(str, self.blank)) + (", …" if self.blanks > len(self.blank) else "")
            said.append(
                f"{self.blanks:,} blank rows were left out: {rows}."
                if self.blanks > 1
                else f"Row {rows} is blank and was left out."
            )
        return said

    def _leave_out(self, numbers: range) -> None:
        self.blanks += len(numbers)
        self.blank.extend(numbers[: _NAMED - len(self.blank)])


def fitted(cells: list[str], width: int) -> tuple[list[str], str]:
    """Cells, one for each heading; what has no heading is a reason to refuse the row."""
    if len(cells) <= width:
        return cells + [""] * (width - len(cells)), ""
    beyond = next((at for at in range(width, len(cells)) if cells[at]), None)
    if beyond is None:
        return cells[:width], ""
    return cells, (
        f"There is a value in column {headings.letters(beyond)}, which has no heading: the row has more cells"
        f" than the {width} headings."
    )


def _of_titles(above: list[Record]) -> list[str]:
    if not above:
        return []
    first, last = above[0].number, above[-1].number
    text = " ".join(cell for cell in above[0].cells if cell)
    text = text if len(text) <= 60 else text[:59] + "…"
    if len(above) == 1:
        return [f"Row {first}, above the headings, was left out: “{text}”."]
    return [f"{len(above)} rows above the headings ({first} to {last}) were left out, the first: “{text}”."]
