"""Who else a person may be, and who became part of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from crm import likeness
from crm.access import reach
from crm.kernel.panels import Panel, panels
from crm.models import MergeProposal, Merging

MOST = 5


@panels.register
class SamePerson(Panel):
    """Contacts who may be the same person, and those who were merged into this one, each with its undo."""

    key = "crm.same_person"
    label = "The same person?"
    place = 60
    template = "crm/same_person_panel.html"

    def rests_on(self, contact_id: Any) -> list[Any]:
        pairs = MergeProposal.objects.filter(Q(one=contact_id) | Q(other=contact_id), answer="")
        return [pairs, Merging.objects.filter(contact=contact_id, undone_at=None)]

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        pairs, merged = self.rests_on(contact_id)
        proposals = [
            {
                "other": pair.other if pair.one_id == contact_id else pair.one,
                "why": likeness.words(pair.why),
            }
            for pair in reach.seen(pairs).select_related("one", "other")[:MOST]
        ]
        made = list(merged.order_by("-merged_at")[:MOST])
        if not proposals and not made:
            return None
        return {"contact_id": contact_id, "proposals": proposals, "merged": made}
