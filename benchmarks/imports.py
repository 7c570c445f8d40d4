"""import_vs_copy, import_vs_library, import_peak_mb: people by spreadsheet, half of them known already.

    python -m benchmarks.imports [--rows 200000] [--many 2000000] [--library 2000]

A CSV file of people (address, names, country, language, two own fields), into a shop that knows half of them
and as many others; once more with many rows. Held against three programs. One is written by hand and writes
the same rows of the same tables (csv, COPY into a temporary table, an upsert of people, addresses, history
and engagement, blanks filled), without reasons, undo or progress. The others are django-import-export's
ModelResource as it comes and in its bulk mode, which write people and no addresses, history or engagement;
on fewer rows, by what a row costs. Ratios are of processor time, one after the other on the same machine;
ours is that of the dry run, of the import, and of the process that reads. The server does not vacuum
meanwhile: it would count for whoever takes several transactions, and for the others come afterwards. The peak
is what the import adds to a process in which Django and all apps are loaded, and the whole of the process
that reads: the larger of both sizes.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import effort, results
from benchmarks.effort import Effort
from benchmarks.ground import ground
from benchmarks.importing import Imported, in_a_process

HEADER = ["email", "first_name", "last_name", "country", "language", "shoe_size", "city"]
TABLES = "crm_importrow, crm_import, crm_outsideid, crm_contact"
WRITTEN = ("importrow", "contact", "contactpoint", "contactchange", "engagement")


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


def write(path: Path, rows: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(people(rows))


def begin(rows: int) -> None:
    """A shop that knows every other person of the file, by the address alone, and as many others."""
    from django.db import connection

    from crm.models import OwnField

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")
        for table in WRITTEN:
            cursor.execute(f"ALTER TABLE crm_{table} SET (autovacuum_enabled = false)")
    OwnField.objects.get_or_create(key="shoe_size", defaults={"label": "Shoe size", "type": "number"})
    OwnField.objects.get_or_create(key="city", defaults={"label": "City", "type": "text"})
    by_hand([[row[0], *[""] * 6] for number, row in enumerate(people(2 * rows)) if number % 2 == 0])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def by_hand(told: Any) -> None:
    """COPY and upsert, as one would write it for this one file."""
    from django.db import connection, transaction

    from crm.kernel import tokens
    from crm.models.writing import key_at
    from crm.people.stirring import OWN

    key = key_at("statement_timestamp()")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE t (email text, first_name text, last_name text, country text, language text,"
            " shoe_size int, city text, hash bytea) ON COMMIT DROP"
        )
        with cursor.copy("COPY t FROM STDIN") as copy:
            for email, first, last, country, language, size, city in told:
                spelled, digest, _ = tokens.spelled_and_hashed("email", email)
                copy.write_row((spelled, first, last, country, language, size or None, city or None, digest))
        cursor.execute("ANALYZE t")
        fields = "jsonb_strip_nulls(jsonb_build_object('shoe_size', t.shoe_size, 'city', t.city))"
        for name, value in (("country", "t.country"), ("language", "t.language"), ("fields", f"{fields}")):
            new = f"{value} || c.fields" if name == "fields" else value
            blank = "true" if name == "fields" else f"c.{name} = ''"
            cursor.execute(
                "INSERT INTO crm_contactchange (id, contact_id, field, old, new, actor, occurred_at,"
                f" recorded_at, is_backfill) SELECT {key}, c.id, '{name}', to_jsonb(c.{name}),"
                f" to_jsonb({new}), 'import', now(), now(), false FROM t JOIN crm_contactpoint AS p"
                " ON p.address_hash = t.hash AND p.channel = 'email' JOIN crm_contact AS c"
                f" ON c.id = p.contact_id WHERE {blank} AND c.{name} <> {new}"
            )
        cursor.execute(
            "UPDATE crm_contact AS c SET updated_at = now(), fields = " + fields + " || c.fields,"
            " first_name = COALESCE(NULLIF(c.first_name, ''), t.first_name),"
            " last_name = COALESCE(NULLIF(c.last_name, ''), t.last_name),"
            " country = COALESCE(NULLIF(c.country, ''), t.country),"
            " language = COALESCE(NULLIF(c.language, ''), t.language)"
            " FROM t JOIN crm_contactpoint AS p ON p.address_hash = t.hash AND p.channel = 'email'"
            " WHERE c.id = p.contact_id"
        )
        cursor.execute(
            "CREATE TEMP TABLE n ON COMMIT DROP AS"
            f" SELECT {key} AS id, t.* FROM t WHERE NOT EXISTS (SELECT FROM crm_contactpoint AS p"
            " WHERE p.address_hash = t.hash AND p.channel = 'email')"
        )
        cursor.execute(
            "INSERT INTO crm_contact (id, first_name, last_name, email, phone, language, country, time_zone,"
            " tags, fields, source, is_test, created_at, recorded_at, updated_at)"
            " SELECT id, first_name, last_name, email, '', language, country, '', '[]', "
            + fields.replace("t.", "n.")
            + ", 'import', false, now(), now(), now() FROM n"
        )
        cursor.execute(
            "INSERT INTO crm_contactpoint (id, contact_id, channel, address, address_hash, hash_key_id,"
            f" status, is_primary, created_at) SELECT {key}, id, 'email', email, hash, 1, 'ok', true, now()"
            " FROM n"
        )
        cursor.execute(
            "INSERT INTO crm_engagement (id, contact_id, order_count, spent, stirred)"
            f" SELECT {key}, p.contact_id, 0, 0, {OWN} FROM t JOIN crm_contactpoint AS p"
            " ON p.address_hash = t.hash AND p.channel = 'email'"
            " ON CONFLICT (contact_id) DO UPDATE SET stirred = EXCLUDED.stirred"
        )


def hand(path: Path) -> Effort:
    def work() -> None:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            next(rows)
            by_hand(rows)

    return effort.of(work)[1]


def library(path: Path, rows: int, **how: Any) -> Effort:
    """So many rows of django-import-export's resource as it comes, or as `how` says."""
    import tablib
    from import_export import resources

    from crm.models import Contact

    meta = {"model": Contact, "import_id_fields": ("email",)}
    fields = ("email", "first_name", "last_name", "country", "language")
    plain = type(
        "Plain",
        (resources.ModelResource,),
        {"Meta": type("Meta", (), meta | {"fields": fields} | how)},
    )
    with path.open(newline="", encoding="utf-8") as file:
        table = tablib.Dataset(*islice(csv.reader(file), 1, rows + 1), headers=HEADER)
    result, cost = effort.of(lambda: plain().import_data(table, raise_errors=True))
    assert result.total_rows == rows
    return cost


def in_bulk(path: Path, rows: int) -> Effort:
    """The same with everything turned on that its manual has for speed."""
    from import_export.instance_loaders import CachedInstanceLoader

    return library(
        path,
        rows,
        use_bulk=True,
        batch_size=1000,
        skip_diff=True,
        skip_html_diff=True,
        instance_loader_class=CachedInstanceLoader,
    )


def against_copy(path: Path, rows: int, environment: dict[str, str]) -> tuple[Effort, Imported]:
    """One after the other, each into the same shop."""
    write(path, rows)
    begin(rows)
    here = in_a_process(path, "crm.contacts", environment)
    begin(rows)
    by_copy = hand(path)
    print(f"{rows:,} rows: by hand {by_copy}; ours {here.whole}: {here}")
    return by_copy, here


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=200_000)
    asked.add_argument("--many", type=int, default=2_000_000, help="0: not so many")
    asked.add_argument("--library", type=int, default=2_000)
    told = asked.parse_args()
    with ground() as environment, TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        by_copy, here = against_copy(path, told.rows, environment)
        peak, most = here.peak, told.rows
        note = partial(results.note, n=told.rows)
        note("import_vs_copy", by_copy / here.whole, better="higher", floor=0.4, moonshot=0.8)
        note("import_dry_run_s", here.checked.cpu, better="lower", floor=20, moonshot=10, digits=1)
        each = here.whole.cpu / told.rows
        for name, way, rows, floor in (
            ("import_vs_library", library, told.library, 40),
            ("import_vs_library_bulk", in_bulk, 10 * told.library, 20),
        ):
            begin(told.rows)
            cost = way(path, rows)
            print(f"{name}: {rows:,} rows, {cost}")
            ratio = cost.cpu / rows / each
            note(name, ratio, better="higher", floor=floor, moonshot=2 * floor, digits=1)
        if told.many:
            by_copy, here = against_copy(path, told.many, environment)
            peak, most = max(peak, here.peak), told.many
            ratio = by_copy / here.whole
            results.note("import_vs_copy_many", ratio, better="higher", floor=0.4, moonshot=0.8, n=told.many)
        results.note("import_peak_mb", peak, better="lower", floor=150, moonshot=80, n=most, digits=0)


if __name__ == "__main__":
    main()
