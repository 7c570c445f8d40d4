"""The statuses of a person, on their page: what they hold and until when, and a hand that gives or ends."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.kernel.panels import Panel, panels
from crm.models import Status
from crm.people import statuses


@panels.register
class Statuses(Panel):
    """What they hold, what it is good for, and the others there are."""

    key = "crm.statuses"
    label = "Status"
    place = 3
    template = "crm/status_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        there = list(Status.objects.all())
        if not there:
            return None
        terms = statuses.held_at(now, current=True).filter(contact=contact_id).select_related("status")
        running = sorted(terms, key=lambda term: term.status.name)
        holding = {term.status_id for term in running}
        return {
            "contact_id": contact_id,
            "terms": running,
            "others": [status for status in there if status.pk not in holding],
        }
