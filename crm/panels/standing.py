"""What a person's page says of their rhythm: how they usually buy, where they stand, what comes next."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.audience import pacing
from crm.kernel.panels import Panel, panels
from crm.models import Clock, Standing, State
from crm.shop.settings import this_shop


@panels.register
class Rhythm(Panel):
    """Their usual gap between two orders, how long it has been, and where that puts them."""

    key = "crm.rhythm"
    label = "Rhythm"
    place = 5
    template = "crm/standing_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        row = Standing.objects.filter(contact=contact_id).first()
        if row is None:
            return None
        following = dict(zip(State.values, State.values[1:], strict=False)).get(row.state)
        return {
            "row": row,
            "words": pacing.words(pacing.of(row, now)),
            "next": State(following).label if following and row.turns_at else "",
            "ends": "an order" if row.clock == Clock.PURCHASE else "a visit, a click or a reply",
            "currency": this_shop().currency,
        }
