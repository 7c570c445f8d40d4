"""Terms of a status, for the timeline: since when, until when, who gave and who ended it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Value

from crm.conditions.words import counted, day
from crm.kernel.timeline import Rows, Told, sources
from crm.models import ContactStatus


@sources.register
class Statuses(Rows):
    """Each term the person had a status for."""

    key = "crm.statuses"
    label = "Statuses"
    kinds = {"status": "Statuses"}
    searched = (
        "status__name",
        "granted_by",
        "ended_by",
        Value("Became given by its rule renewed until ended on"),
    )
    icon = "workspace_premium"

    def rows(self, contact_id: Any) -> QuerySet[ContactStatus]:
        return ContactStatus.objects.filter(contact=contact_id).select_related("status")

    def tell(self, row: ContactStatus) -> Told:
        given = f"given by {row.granted_by}" if row.granted_by else "given by its rule"
        renewed = f"renewed {counted(row.renewals, 'time')}" if row.renewals else ""
        if row.ended_at is None:
            ends = f"until {day(row.until)}"
        else:
            ends = f"ended on {day(row.ended_at)}" + (f" by {row.ended_by}" if row.ended_by else "")
        data = {"status": row.status.key, "until": row.until, "ended_at": row.ended_at}
        return Told(f"Became {row.status}", [given, renewed, ends], data=data)
