"""reading_rows_per_s, reading_memory_mb: a spreadsheet read row by row, by a process of its own for ours.

    python -m benchmarks.reading [--rows 2000000] [--workbook 200000]

Leads of twelve columns, written beforehand. Rates are of processor time, of both processes together; memory
is the peak of both. The workbook has the same leads, with dates and numbers as such.
"""

from __future__ import annotations

import argparse
import csv
import resource
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from benchmarks import results
from crm.sheets import reading

HEADINGS = (
    *("Prospect ID", "Email", "First name", "Last name", "Phone", "Country", "City", "Lead source"),
    *("Total visits", "Time on site", "Created", "Notes"),
)


def leads(count: int) -> Iterator[list[str | int | date]]:
    names, cities = ("Ann", "Bob", "Zoë", "Jürgen"), ("Köln", "Bonn", "Ulm")
    for n in range(count):
        who = [f"{n:08d}-aaaa", f"user{n}@example{n % 1000}.com", names[n % 4], "O'Hara", f"+49170{n:07d}"]
        where = ["Germany", cities[n % 3], "Direct, typed"]
        yield [*who, *where, n % 30, n % 977, date(2024, n % 12 + 1, n % 28 + 1), ""]


def as_text(path: Path, count: int) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerow(HEADINGS)
        csv.writer(file).writerows(leads(count))
    return path


def as_workbook(path: Path, count: int) -> Path:
    from openpyxl import Workbook  # Not before memory was measured.

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Leads")
    sheet.append(HEADINGS)
    for lead in leads(count):
        sheet.append(lead)
    book.save(path)
    return path


def spent() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def peak() -> float:
    """Megabytes of both; what another process that ended took counts as well."""
    both = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(both) / 1024


def read(path: Path, count: int) -> float:
    """Rows a second, the look included."""
    before = spent()
    rows = sum(1 for row in reading.rows(path, reading.look(path, path.name)) if not row.wrong)
    assert rows == count, rows
    return count / (spent() - before)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=2_000_000)
    asked.add_argument("--workbook", type=int, default=200_000)
    told = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = as_text(Path(folder) / "leads.csv", told.rows)
        rate = read(text, told.rows)
        results.note("reading_rows_per_s", rate, better="higher", floor=50_000, moonshot=100_000, n=told.rows)
        results.note("reading_memory_mb", peak(), better="lower", floor=150, moonshot=80, n=told.rows)
        book = as_workbook(Path(folder) / "leads.xlsx", told.workbook)
        rate = read(book, told.workbook)
        results.note(
            "reading_workbook_rows_per_s",
            rate,
            better="higher",
            floor=10_000,
            moonshot=50_000,
            n=told.workbook,
        )


if __name__ == "__main__":
    main()
