"""The cells of a sheet of XLSX, as the parser comes upon them.

Handlers are closures over plain names, not methods: they are called twelve million times for a sheet of
200,000 rows, and looking up attributes would double the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from crm.sheets.formats import MOST_COLUMNS, Unreadable, headings, numbers, packed
from crm.sheets.formats.table import Record

_MOST_ROWS = 1_048_576
_MOST_CELLS_ACROSS = 16_384
_LONGEST = 100_000

type Handlers = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]


class Sheet:
    """Rows as far as they have been parsed; whoever feeds the parser takes them out."""

    def __init__(self, texts: list[str], styles: list[numbers.Show]) -> None:
        self.rows: list[Record] = []
        self.hidden = 0
        self.parser = _parser(lambda spell: self._handlers(spell, texts, styles))

    def _handlers(
        self, spell: Callable[[str], str], texts: list[str], styles: list[numbers.Show]
    ) -> Handlers:
        c, v, row, t, phonetic = map(spell, ("c", "v", "row", "t", "rPh"))
        rows = self.rows
        number = digits = 0
        columns: dict[str, int] = {}
        cells: list[str] = []
        wrong = text = ""
        kind = style = reference = None
        inside = spoken = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal number, digits, cells, wrong, text, kind, style, reference, inside, spoken
            if name == c:
                get = attributes.get
                reference, kind, style = get("r"), get("t"), get("s")
                text = ""
            elif name == v or name == t:  # noqa: SIM109 - a tuple would be looked through each time.
                inside = not spoken
            elif name == row:
                before, number = number, int(attributes.get("r") or number + 1)
                if not before < number <= _MOST_ROWS:
                    raise Unreadable(packed.DAMAGED)
                cells, wrong, digits = [], "", len(str(number))
                if attributes.get("hidden") in ("1", "true"):
                    self.hidden += 1
            elif name == phonetic:
                spoken = True

        def end(name: str) -> None:
            nonlocal wrong, inside, spoken
            if name == v or name == t:  # noqa: SIM109
                inside = False
            elif name == c:
                if not text:
                    return
                shown = texts[int(text)] if kind == "s" else _read(text, kind, style, styles)
                if not shown:
                    return
                at = len(cells)
                if reference:
                    at = columns.get(reference[:-digits], -1)
                    if at < 0:
                        at = columns[reference[:-digits]] = _column(reference.rstrip("0123456789"))
                if at == len(cells):
                    cells.append(shown)
                else:
                    wrong = _put(cells, at, shown) or wrong
            elif name == row:
                rows.append(Record(number, cells, wrong))
            elif name == phonetic:
                spoken = False

        def letters(data: str) -> None:
            nonlocal text
            if inside:
                text += data
                if len(text) > _LONGEST:
                    raise Unreadable(f"A cell in row {number:,} has more than {_LONGEST:,} letters.")

        return start, end, letters


class Texts:
    """The texts that cells share, without the hints of how they are pronounced."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.parser = _parser(self._handlers)

    def _handlers(self, spell: Callable[[str], str]) -> Handlers:
        t, si, phonetic = map(spell, ("t", "si", "rPh"))
        found, pieces = self.found, list[str]()
        inside = spoken = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal inside, spoken
            if name == t:
                inside = not spoken
            elif name == phonetic:
                spoken = True

        def end(name: str) -> None:
            nonlocal inside, spoken
            if name == t:
                inside = False
            elif name == si:
                found.append("".join(pieces)[:_LONGEST].strip())
                pieces.clear()
            elif name == phonetic:
                spoken = False

        def letters(data: str) -> None:
            if inside:
                pieces.append(data)

        return start, end, letters


def _parser(handlers: Callable[[Callable[[str], str]], Handlers]) -> expat.XMLParserType:
    """Some programs write a prefix before every name: it is the one of the first element."""
    parser = expat.ParserCreate()

    def root(name: str, attributes: dict[str, str]) -> None:
        prefix, colon, _ = name.rpartition(":")
        start, end, letters = handlers(lambda plain: prefix + colon + plain)
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = letters

    parser.StartElementHandler = root
    return parser


def _read(text: str, kind: str | None, style: str | None, styles: list[numbers.Show]) -> str:
    """A cell as a person sees it. Of a formula this is what it came to last."""
    if kind is None or kind == "n":
        show = styles[int(style)] if style and styles else None
        return show(text) if show else numbers.plain(text)
    if kind == "b":
        return "TRUE" if text.strip() == "1" else "FALSE"
    return text.strip()


def _put(cells: list[str], at: int, text: str) -> str:
    """Write a cell that does not follow the one before; says what is wrong with its place."""
    if at >= MOST_COLUMNS:
        return (
            f"There is a value in column {headings.letters(at)}; at most {MOST_COLUMNS:,} columns are read."
        )
    if at < len(cells):
        raise Unreadable(packed.DAMAGED)
    cells.extend([""] * (at - len(cells)))
    cells.append(text)
    return ""


def _column(letters: str) -> int:
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - 64
        if not 0 < at <= _MOST_CELLS_ACROSS:
            break
    if not 0 < at <= _MOST_CELLS_ACROSS:
        raise Unreadable(packed.DAMAGED)
    return at - 1
