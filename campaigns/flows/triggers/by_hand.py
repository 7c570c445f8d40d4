"""Nobody enters by themselves: a colleague, or the shop's server, puts them in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign


@triggers.register
class ByHand(Trigger):
    """Lets in whoever is put in: by a colleague on the campaign's page, on a contact's page or from the list
    of contacts, or by the shop's server (`POST /api/v1/campaigns/<number>/enrol`).

    The entry rule and the re-entry time hold for them, too. The decision says who did it.
    """

    key = "campaigns.by_hand"
    label = "Put in by hand, or by the API"
    group = "By hand"

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        return []

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:hand:{contact_id}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        return "Somebody is put in by hand, or by the shop's server"
