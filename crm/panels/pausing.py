"""Whether marketing rests for a person, until when, and a button that ends it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.kernel.panels import Panel, panels
from crm.models import MarketingPause
from crm.people import pausing


@panels.register
class Paused(Panel):
    """No marketing goes to them until a day, by a colleague or at their own wish."""

    key = "crm.paused"
    label = "Marketing is paused"
    place = 1
    template = "crm/paused_panel.html"

    def rests_on(self, contact_id: Any) -> list[Any]:
        return [MarketingPause.objects.filter(contact=contact_id, ended_at=None)]

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        running = pausing.held_at(now, current=True).filter(contact=contact_id).first()
        return {"pause": running} if running else None
