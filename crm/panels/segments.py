"""The segments of a person, on their page."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.kernel.panels import Panel, panels
from crm.models import Segment, SegmentMembership


@panels.register
class Segments(Panel):
    """The segments the person is in, and why they are in or out of any of them."""

    key = "crm.segments"
    label = "Segments"
    place = 50
    template = "crm/segments_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        segments = list(Segment.objects.order_by("name").only("name"))
        if not segments:
            return None
        stays = SegmentMembership.objects.filter(contact=contact_id, left_at=None)
        return {
            "contact_id": contact_id,
            "segments": segments,
            "inside": list(stays.select_related("segment").order_by("segment__name")),
        }
