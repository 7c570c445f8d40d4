"""A file on its way in, step by step, without the pages: dropped, checked, brought in, undone."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from crm.kernel.work import Budget
from crm.models import Import
from crm.sheets import reading
from crm.sheets.importing import acts, files, running
from crm.sheets.matching import match
from crm.sheets.subjects import subjects
from tests.office import NOW


def sheet(*rows: Sequence[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def drop(
    data: bytes, *, subject: str = "crm.contacts", mapping: Mapping[str, str] | None = None, **options: Any
) -> Import:
    """A file whose columns are what their headings say, or what `mapping` says of a heading."""
    run = Import(subject=subject, name="people.csv", options=options, created_at=NOW)
    files.keep(run, [data])
    seen = reading.look(files.path_of(run), run.name)
    run.look = seen.as_json()
    found = {one.heading: one.target for one in match(seen, subjects.get(subject).targets(), {})}
    found |= mapping or {}
    run.mapping = {str(place): found[heading] for place, heading in enumerate(seen.headings)}
    run.save()
    return run


def checked(data: bytes, **more: Any) -> Import:
    run = drop(data, **more)
    acts.check(run, NOW)
    return at_work(run)


def brought(data: bytes, **more: Any) -> Import:
    run = checked(data, **more)
    acts.begin(run, NOW)
    return at_work(run)


def undone(run: Import) -> Import:
    acts.undo(run, NOW)
    return at_work(run)


def at_work(run: Import) -> Import:
    running.keep_up(NOW, Budget(60))
    run.refresh_from_db()
    return run


def counts(run: Import) -> tuple[int, int, int, int]:
    return run.new, run.changed, run.unchanged, run.refused
