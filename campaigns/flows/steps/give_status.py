"""Give a standing status, such as VIP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from crm.models import Status
from crm.people import statuses
from crm.shop.settings import shop_zone


@steps.register
class GiveStatus(Step):
    """Gives the person a status, such as VIP, for as long as the status says or for so many days. Whoever
    holds it keeps it, and for longer where this term is longer. From whom a colleague took it away it stays
    away until the term that was cut short is over.
    """

    key = "campaigns.give_status"
    label = "Give a status"
    group = acting.CHANGE
    icon = "workspace_premium"

    class Params(forms.Form):
        kind = forms.ModelChoiceField(Status.objects.order_by("name"), to_field_name="key", label="status")
        days = forms.IntegerField(
            label="for so many days",
            min_value=1,
            max_value=3650,
            required=False,
            help_text="Blank: as long as the status says.",
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people, status = acting.whom(batch), batch.params["kind"]
        given = statuses.grant_all(
            {person.contact_id for person in people},
            status,
            batch.now,
            acting.actor(batch),
            days=batch.params["days"],
        )
        until = f"{given.until.astimezone(shop_zone()):%-d %B %Y}"
        for person in people:
            if person.contact_id in given.refused:
                words = f"A colleague took “{status}” away from them; it stays away for that term."
                acting.did_not(batch, person, "taken_away", words)
            else:
                words = f"Has “{status}” until {until} at least."
                acting.did(batch, person, words, changed=person.contact_id not in given.held)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        days = params["days"]
        span = f" for {days} day{'s' * (days != 1)}" if days else ""
        return f"Give “{params['kind']}”{span}"
