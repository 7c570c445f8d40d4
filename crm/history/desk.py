"""What colleagues wrote down of a person, for the timeline, and when marketing rested."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Value

from crm.conditions.words import day
from crm.kernel.timeline import Rows, Told, sources
from crm.models import MarketingPause, Note

_ICONS = {
    Note.Kind.NOTE: "edit_note",
    Note.Kind.CALL: "call",
    Note.Kind.MEETING: "groups",
    Note.Kind.MESSAGE: "chat",
    Note.Kind.LEARNED: "lightbulb",
}


@sources.register
class Notes(Rows):
    """Notes, calls and meetings, each at the moment it was."""

    key = "crm.notes"
    label = "Notes"
    kinds = {"note": "Notes and calls"}
    searched = ("kind", "author", "outcome", "body", Value("by"))

    def rows(self, contact_id: Any) -> QuerySet[Note]:
        return Note.objects.filter(contact=contact_id)

    def tell(self, row: Note) -> Told:
        what = row.get_kind_display().capitalize()
        became = f": {row.get_outcome_display()}" if row.outcome else ""
        return Told(
            f"{what} by {row.author}{became}",
            [row.body],
            icon=_ICONS.get(Note.Kind(row.kind), "edit_note"),
            data={"kind": row.kind, "outcome": row.outcome},
        )


@sources.register
class Pauses(Rows):
    """When marketing rested, at whose wish, and until when."""

    key = "crm.pauses"
    label = "Pauses"
    kinds = {"pause": "Pauses"}
    searched = ("by", "why", "ended_by", Value("No marketing until at their own wish ended on by"))
    icon = "pause_circle"

    def rows(self, contact_id: Any) -> QuerySet[MarketingPause]:
        return MarketingPause.objects.filter(contact=contact_id)

    def tell(self, row: MarketingPause) -> Told:
        ended = ""
        if row.ended_at and row.ended_at < row.until:
            ended = f"ended on {day(row.ended_at)}" + (f" by {row.ended_by}" if row.ended_by else "")
        return Told(
            f"No marketing until {day(row.until)}",
            [f"by {row.by}" if row.by else "at their own wish", row.why, ended],
        )
