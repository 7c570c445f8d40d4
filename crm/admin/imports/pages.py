"""What the page of one import shows, by how far it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count

from crm.models import Import, ImportRow, Purpose
from crm.sheets.importing import acts
from crm.sheets.importing import refused as refused_rows
from crm.sheets.importing.files import KEPT
from crm.sheets.matching import Match, Target, match
from crm.sheets.reading import Look
from crm.sheets.subjects import MAKES, subjects

SAMPLES = 3
REASONS = 12
Verdict = ImportRow.Verdict
Status = Import.Status
STEPS = ("Drop a file", "What we saw", "Dry run", "Coming in", "Done")
_STEP = {
    Status.SEEN: 1,
    Status.FAILED: 1,
    Status.CHECKING: 2,
    Status.CHECKED: 2,
    Status.RUNNING: 3,
}


def steps(run: Import | None) -> list[dict[str, Any]]:
    """The four steps, and where this one is."""
    at = 0 if run is None else _STEP.get(Status(run.status), 4)
    return [
        {"label": label, "is_now": place == at, "is_past": place < at} for place, label in enumerate(STEPS)
    ]


def matches(run: Import) -> list[Match]:
    """What each column is: as it was said, else as we take it to be."""
    look = Look.from_json(run.look)
    found = match(look, subjects.get(run.subject).targets(), acts.remembered(run.subject))
    if not run.mapping:
        return found
    return [
        Match(one.column, one.heading, run.mapping.get(str(one.column), ""), one.why, one.sample)
        for one in found
    ]


def checked(run: Import) -> dict[str, Any]:
    """The dry run: numbers, a sample of each verdict, reasons with how often, what may be written to."""
    rows = ImportRow.objects.filter(run=run)
    targets = {one.key: one for one in subjects.get(run.subject).targets()}
    refused = rows.filter(verdict=Verdict.REFUSED)
    remarks = refused_rows.remarked(run)
    names = dict(Purpose.objects.values_list("key", "name"))
    return {
        "verdicts": [
            {
                "label": "further line"
                if run.further == 1 and one == Verdict.FURTHER
                else Verdict(one).label,
                "key": one,
                "rows": getattr(run, one),
                "samples": _samples(run, one, targets),
            }
            for one in (Verdict.NEW, Verdict.CHANGED, Verdict.UNCHANGED, Verdict.FURTHER)
        ],
        "refused": [
            {
                "number": row.number,
                "reason": row.reason,
                "says": " · ".join(cell for cell in row.cells if cell),
            }
            for row in refused.order_by("number")[:REASONS]
        ],
        "remarks": remarks.order_by("number")[:REASONS],
        "remarked": remarks.count(),
        "shown": REASONS,
        "mailable": [{"name": names.get(key, key)} | counted for key, counted in run.mailable.items()],
        "makes": [target for target in run.mapping.values() if target.startswith(MAKES)],
    }


def progress(run: Import, now: datetime) -> dict[str, Any]:
    """How far the work in hand is: percent where the end is known, rows a second, seconds left."""
    seconds = max((now - run.began_at).total_seconds(), 1) if run.began_at else 1
    is_reading = run.status == Status.CHECKING and not run.is_read
    done = run.total if is_reading else run.cursor
    pace = done / seconds
    is_comparing = run.status == Status.CHECKING and run.is_read
    whole = 0 if is_reading or is_comparing else run.last_row
    return {
        "run": run,
        "is_waiting": done == 0 and seconds < 90,
        "is_reading": is_reading,
        "is_comparing": is_comparing,
        "percent": min(100 * done // whole, 100) if whole else None,
        "done": done,
        "pace": round(pace),
        "minutes_left": round((whole - done) / pace / 60) if whole and pace else None,
    }


def ended(run: Import) -> dict[str, Any]:
    """What came in, and until when it can be undone."""
    subject = subjects.get(run.subject)
    refused = ImportRow.objects.filter(run=run, verdict=Verdict.REFUSED)
    reasons = list(
        refused.values("reason").order_by().annotate(rows=Count("number")).order_by("-rows", "reason")[:5]
    )
    counted = run.made + run.updated + run.refused
    return {
        "others": max(run.total - counted, 0) if run.status == Status.DONE else 0,
        "undo_says": subject.undo_says,
        "until": (run.ended_at or run.created_at) + KEPT,
        "may_undo": run.status in Import.UNDOABLE and not run.is_cleared,
        "reasons": reasons,
        "other_reasons": refused.count() - sum(one["rows"] for one in reasons),
    }


def _samples(run: Import, verdict: str, targets: dict[str, Target]) -> list[dict[str, Any]]:
    rows = ImportRow.objects.filter(run=run, verdict=verdict).order_by("number")
    return [
        {"number": row.number, "says": _says(row.told or {}, targets), "reason": row.reason}
        for row in rows[:SAMPLES]
    ]


def _says(told: dict[str, Any], targets: dict[str, Target]) -> list[tuple[str, str]]:
    """What a row says, in the order of the targets; of several lines the first, and how many there are."""
    lines = told.get("lines") or [told.get("line", {})]
    of_line = {f"line_{key}": value for key, value in lines[0].items()}
    own = {f"own:{key}": value for key, value in told.get("own", {}).items()}
    said = told | lines[0] | of_line | own
    says = [(one.label, _text(said[key], one.kind)) for key, one in targets.items() if key in said]
    says += [(key.removeprefix("own:"), _text(value)) for key, value in own.items() if key not in targets]
    return [*says, ("Lines", str(len(lines)))] if len(lines) > 1 else says


def _text(value: Any, kind: str = "text") -> str:
    if kind == "date" and isinstance(value, str):
        return value[:16].replace("T", " ").removesuffix(" 00:00")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
