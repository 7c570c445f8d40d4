"""A spreadsheet of any kind, read row by row, by a process of its own with little memory and little time.

Parsers meet files from anywhere: what crashes or devours there leaves the web server as it was. Out of that
process come nothing but lines of JSON, which are read as they come, so that memory stays flat however long
the file is. What a file looks like is found out once (`look`), may be overruled by whoever knows better, and
is kept; the rows are read by it (`rows`), today or tomorrow.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from crm.sheets.formats import Unreadable
from crm.sheets.formats.encodings import LABELS as ENCODINGS

__all__ = ["ENCODINGS", "Look", "Row", "Rows", "Unreadable", "look", "rows"]
_ROOT = Path(__file__).resolve().parents[2]
_LOOKING_SECONDS = 90
_LONGEST_MESSAGE = 32 << 20


@dataclass(frozen=True)
class Look:
    """What was seen in a file, and how its rows are to be read.

    `header_row` counts as a spreadsheet program does, from 1, blank rows included and a cell of several
    lines as one row; 0 is a file without headings, whose columns are called A, B, C. Headings are unique: a
    second "Email" is "Email (2)". `samples` are up to twenty rows, as wide as the headings. `notes` say what
    was odd, in words.
    """

    format: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    header_row: int = 0
    headings: tuple[str, ...] = ()
    samples: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Look:
        """A look as `as_json` made it, also after it went through a database."""
        kept = {one.name: told[one.name] for one in fields(cls) if one.name in told}
        for name in ("sheets", "headings", "notes"):
            kept[name] = tuple(kept.get(name, ()))
        kept["samples"] = tuple(tuple(row) for row in kept.get("samples", ()))
        return cls(**kept)


class Row(NamedTuple):
    """One row of the file. `cells` are text, trimmed, one for each heading; a row that is `wrong` (says why)
    has what could be made out of it, in as many cells as there were."""

    number: int
    cells: list[str]
    wrong: str


class Rows(Iterator[Row]):
    """The rows of a file as they come; close it (or come to its end) to end the process that reads.

    `notes` are complete at the end: what was neither a row nor refused, such as blank lines.
    """

    def __init__(self, path: Path, look: Look) -> None:
        self.notes: tuple[str, ...] = ()
        self._batches = _asked({"act": "rows", "path": str(path), "look": look.as_json()})
        self._rows = self._read()

    def __next__(self) -> Row:
        return next(self._rows)

    def close(self) -> None:
        self._rows.close()
        self._batches.close()

    def _read(self) -> Generator[Row]:
        for told in self._batches:
            if "notes" in told:
                self.notes = tuple(told["notes"])
                continue
            wrong: dict[str, str] = told["wrong"]
            if wrong:
                for at, (number, cells) in enumerate(zip(told["numbers"], told["cells"], strict=True)):
                    yield Row(number, cells, wrong.get(str(at), ""))
            else:
                for number, cells in zip(told["numbers"], told["cells"], strict=True):
                    yield Row(number, cells, "")


def look(
    path: Path,
    name: str,
    *,
    sheet: str = "",
    header_row: int | None = None,
    encoding: str = "",
    delimiter: str = "",
) -> Look:
    """What this file seems to be; `name` is what the person calls it. Each guess can be overruled.

    Raises `Unreadable`.
    """
    asked = {
        "act": "look",
        "path": str(path),
        "name": name,
        "sheet": sheet,
        "header_row": header_row,
        "encoding": encoding,
        "delimiter": delimiter,
    }
    for told in _asked(asked, seconds=_LOOKING_SECONDS):
        return Look.from_json(told)
    raise Unreadable("The file could not be looked at. Save it as CSV (UTF-8) and try again.")


def rows(path: Path, look: Look) -> Rows:
    """Every row below the headings, by its number; refused rows say why. Raises `Unreadable` on the way."""
    return Rows(path, look)


def _asked(question: Mapping[str, Any], seconds: int | None = None) -> Generator[dict[str, Any]]:
    """What the process that reads answers, message by message; it ends with the generator."""
    # Of our environment, with its keys and passwords, it gets nothing.
    process = subprocess.Popen(
        [sys.executable, "-m", "crm.sheets.formats"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        env={"PYTHONUTF8": "1"},
    )
    assert process.stdin is not None and process.stdout is not None
    alarm = threading.Timer(seconds, process.kill) if seconds else None
    if alarm:
        alarm.daemon = True
        alarm.start()
    try:
        process.stdin.write(json.dumps(question).encode())
        process.stdin.close()
        while message := process.stdout.readline(_LONGEST_MESSAGE):
            told = json.loads(message)
            if "unreadable" in told:
                raise Unreadable(told["unreadable"])
            if "end" in told:
                return
            yield told
        raise Unreadable(_died_of(process.wait()))
    except (BrokenPipeError, json.JSONDecodeError):
        raise Unreadable(_died_of(process.wait())) from None
    finally:
        if alarm:
            alarm.cancel()
        process.kill()
        process.stdout.close()
        process.wait()


def _died_of(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "The file takes too much time to read. Save the sheet you need as CSV (UTF-8) and try again."
    return (
        "The file takes too much memory to read, or it is damaged. Open it in a spreadsheet program, save the"
        " sheet you need as CSV (UTF-8) and try again."
    )
