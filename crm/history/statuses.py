"""Terms of a status, for the timeline: since when, until when, who gave and who ended it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from crm.conditions.words import counted, day
from crm.kernel.timeline import Cursor, Entry, Source, sources
from crm.models import ContactStatus


@sources.register
class Statuses(Source):
    """Each term the person had a status for."""

    key = "crm.statuses"
    label = "Statuses"
    kinds = {"status": "Statuses"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = ContactStatus.objects.filter(contact=contact_id).select_related("status")
        return [
            Entry(
                at=row.occurred_at,
                source=self.key,
                key=str(row.pk),
                kind="status",
                title=f"Became {row.status}",
                detail=_course(row),
                icon="workspace_premium",
                data={"status": row.status.key, "until": row.until, "ended_at": row.ended_at},
            )
            for row in self.below(rows, before)[:limit]
        ]


def _course(row: ContactStatus) -> str:
    given = f"given by {row.granted_by}" if row.granted_by else "given by its rule"
    renewed = f"renewed {counted(row.renewals, 'time')}" if row.renewals else ""
    if row.ended_at is None:
        ends = f"until {day(row.until)}"
    else:
        ends = f"ended on {day(row.ended_at)}" + (f" by {row.ended_by}" if row.ended_by else "")
    return " · ".join(filter(None, [given, renewed, ends]))
