"""What a colleague can do about a person's campaigns from the person's page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from campaigns.flows import stopping
from crm.conditions.words import counted, day
from crm.kernel.person_acts import person_acts
from crm.people import pausing
from crm.person_acts.pausing import PausingAct


@person_acts.register
class StopCampaigns(PausingAct):
    """They leave every campaign they are in, and no marketing goes to them until a date. What they agreed to
    stands: it is no unsubscribe.
    """

    key = "campaigns.stop_all"
    label = "Stop campaigns"
    help = "They leave every campaign they are in now. Their consent stands."
    icon = "block"
    button = "Stop all campaigns for them"
    place = 60
    usual = timedelta(days=30)

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        until, by = self.rests_until(said, now), user.get_username()
        with transaction.atomic():
            ended = stopping.take_out(contact_id, now, words=f"{by} took them out of every campaign.")
            pausing.pause(contact_id, until, now, by=by, why=said["why"])
        out = f"They left {counted(ended, 'campaign')}" if ended else "They were in no campaign"
        return f"{out}. No marketing until {day(until)}."
