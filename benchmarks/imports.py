"""import_vs_copy, import_vs_library, import_peak_mb, import_undo_s: leads by spreadsheet, half of whom the
shop knows already.

    python -m benchmarks.imports [--what leads] [--rows 200000] [--many 2000000] [--library 2000]

A CSV file of leads (address, names, country, language, two own fields, stage, owner, expected value, since
when), into a shop that knows half of them, as people, and as many others; once more with many rows. Held
against three programs. One is written by hand and writes the same rows of the same tables (csv, COPY into a
temporary table, an upsert of people, addresses, history and engagement, blanks filled, and of leads, their
moves and scores), without reasons, undo or progress. The others are django-import-export's ModelResource as
it comes and in its bulk mode, one of people and one of leads after it, which write no addresses, history,
engagement, moves or scores; on fewer rows, by what a row costs. Ratios are of processor time, one after the
other on the same machine; ours is that of the dry run, of the import, and of the process that reads. The
server does not vacuum meanwhile: it would count for whoever takes several transactions, and for the others
come afterwards. The peak is what the import adds to a process in which Django and all apps are loaded, and
the whole of the process that reads: the larger of both sizes. The undo takes the first file back.

`--what people` measures the same of people alone, as import_people_...
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import effort, results
from benchmarks.effort import Effort
from benchmarks.ground import ground
from benchmarks.importing import NOW, Imported, in_a_process
from benchmarks.rivals import by_hand, in_bulk, library

if TYPE_CHECKING:
    from crm.models import LeadDefinition

HEADER = ["email", "first_name", "last_name", "country", "language", "shoe_size", "city"]
LEADS = ["stage", "owner", "expected_value", "a_lead_since"]
STAGES = ("Lead", "Nurtured", "Sales-ready", "Accepted", "Bought")
OWNERS = ("ada", "bo")
TABLES = "crm_importrow, crm_import, crm_outsideid, crm_contact, crm_leaddefinition"
WRITTEN = ["importrow", "contact", "contactpoint", "contactchange", "engagement"]
WRITTEN += ["lead", "stagemove", "scorechange"]


def people(rows: int, first: int = 0) -> Iterator[list[str]]:
    for number in range(first, first + rows):
        country = ("DE", "PT", "NL", "US")[number % 4]
        size, city = str(36 + number % 12), f"Town {number % 977}"
        yield [
            f"p{number}@shop-customers.example",
            f"First{number % 5003}",
            f"Last{number % 7919}",
            country,
            "en",
            size,
            city,
        ]


def leads(rows: int) -> Iterator[list[str]]:
    for number, row in enumerate(people(rows)):
        owner = (*OWNERS, "")[number % 3]
        value, since = f"{number % 500}.50", f"2026-01-{number % 28 + 1:02}"
        yield [*row, STAGES[number % len(STAGES)], owner, value, since]


def write(path: Path, what: str, rows: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*HEADER, *LEADS] if what == "leads" else HEADER)
        writer.writerows(leads(rows) if what == "leads" else people(rows))


def begin(rows: int) -> LeadDefinition:
    """A shop that knows every other person of the file, by the address alone, and as many others. None of
    them is a lead by its definition, which it returns.
    """
    from django.contrib.auth import get_user_model
    from django.db import connection

    from crm.audience.leads import definitions
    from crm.models import OwnField

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")
        for table in WRITTEN:
            cursor.execute(f"ALTER TABLE crm_{table} SET (autovacuum_enabled = false)")
    OwnField.objects.get_or_create(key="shoe_size", defaults={"label": "Shoe size", "type": "number"})
    OwnField.objects.get_or_create(key="city", defaults={"label": "City", "type": "text"})
    by_hand([[row[0], *[""] * 6] for number, row in enumerate(people(2 * rows)) if number % 2 == 0])
    for name in OWNERS:
        get_user_model().objects.get_or_create(username=name)
    definition = definitions.new_definition("Worth a call", NOW, "ada")
    rule = {"all": [{"kind": "crm.ordered", "params": {"times": "1"}}]}
    definition.versions.update(is_lead=rule, published_at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return definition


def hand(path: Path, definition: LeadDefinition | None) -> Effort:
    def work() -> None:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            next(rows)
            by_hand(rows, definition)

    return effort.of(work)[1]


def against_copy(
    path: Path, what: str, rows: int, environment: dict[str, str], *, undo: bool
) -> tuple[Effort, Imported]:
    """One after the other, each into the same shop."""
    write(path, what, rows)
    by_copy = hand(path, _of(begin(rows), what))
    print(f"{rows:,} rows of {what}: by hand {by_copy}", flush=True)
    definition = _of(begin(rows), what)
    options = {"definition": str(definition.pk)} if definition else {}
    subject = "crm.leads" if definition else "crm.contacts"
    here = in_a_process(path, subject, environment, undo=undo, **options)
    print(f"ours {here.whole}: {here}", flush=True)
    return by_copy, here


def _of(definition: LeadDefinition, what: str) -> LeadDefinition | None:
    return definition if what == "leads" else None


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--what", choices=("leads", "people"), default="leads")
    asked.add_argument("--rows", type=int, default=200_000)
    asked.add_argument("--many", type=int, default=2_000_000, help="0: not so many")
    asked.add_argument("--library", type=int, default=2_000)
    told = asked.parse_args()
    name = "import" if told.what == "leads" else "import_people"
    with ground() as environment, TemporaryDirectory() as folder:
        path = Path(folder) / f"{told.what}.csv"
        by_copy, here = against_copy(path, told.what, told.rows, environment, undo=True)
        note = partial(results.note, n=told.rows)
        note(f"{name}_vs_copy", by_copy / here.whole, better="higher", floor=0.4, moonshot=0.8)
        rate = told.rows / here.whole.cpu
        note(f"{name}_rate", rate, better="higher", floor=2_000, moonshot=5_000, digits=0)
        note(f"{name}_dry_run_s", here.checked.cpu, better="lower", floor=20, moonshot=10, digits=1)
        assert here.undone
        note(f"{name}_undo_s", here.undone.cpu, better="lower", floor=120, moonshot=60, digits=1)
        peak = partial(results.note, f"{name}_peak_mb", better="lower", floor=150, moonshot=80, digits=0)
        peak(here.peak, n=told.rows)
        each = here.whole.cpu / told.rows
        for against, way, rows, floor in (
            ("library", library, told.library, 40),
            ("library_bulk", in_bulk, 10 * told.library, 20),
        ):
            definition = _of(begin(told.rows), told.what)
            cost = way(path, rows, definition)
            print(f"{against}: {rows:,} rows, {cost}")
            ratio = cost.cpu / rows / each
            note(f"{name}_vs_{against}", ratio, better="higher", floor=floor, moonshot=2 * floor, digits=1)
        if told.many:
            by_copy, many = against_copy(path, told.what, told.many, environment, undo=False)
            note = partial(results.note, n=told.many)
            note(f"{name}_vs_copy_many", by_copy / many.whole, better="higher", floor=0.4, moonshot=0.8)
            if many.peak > here.peak:
                peak(many.peak, n=told.many)


if __name__ == "__main__":
    main()
