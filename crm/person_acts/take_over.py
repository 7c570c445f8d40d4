"""Take a person over: they are mine, and marketing rests while I speak with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.conditions.words import day
from crm.kernel.person_acts import person_acts
from crm.people import desk
from crm.person_acts.pausing import PausingAct


@person_acts.register
class TakeOver(PausingAct):
    """The person and their open leads become one's own, and no marketing goes to them until a date.

    Messages about an order go on. Flows they are in wait with what they have to say, as long as it is good
    for.
    """

    key = "crm.take_over"
    label = "Take over"
    icon = "handshake"
    button = "Take over"
    place = 50

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        until = self.rests_until(said, now)
        desk.take_over(contact_id, user, until, now, why=said["why"])
        return f"They are yours. No marketing until {day(until)}."
