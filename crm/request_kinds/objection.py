"""They want to be left alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from crm.kernel.requests import RequestKind, Step, request_kinds
from crm.models import Channel, ContactPoint
from crm.people import consent


@request_kinds.register
class Objection(RequestKind):
    """No marketing any more, on no channel. They need no reason for it, and no proof."""

    key = "crm.object"
    label = "Not to be written to any more"
    place = 40
    needs_proof = False
    steps = (
        Step(
            key="stop",
            title="Stop all marketing",
            how="At each of their addresses their no is written down: nothing but messages about an order"
            " goes there any more, and only they themselves can take it back.",
            noted="stopped all marketing",
            button="Stop all marketing to them",
            here=True,
        ),
    )
    closing = (
        "Tell them that it is done. Of profiles for anything but marketing, say what you decided and why."
    )

    def do(self, key: str, contact_id: UUID, now: datetime, *, by: str) -> str:
        points = ContactPoint.objects.filter(contact=contact_id, channel__in=Channel.values)
        said = [
            consent.Said(
                bytes(point.address_hash), point.channel, None, "objected", now, "request", actor=by[:150]
            )
            for point in points
        ]
        consent.record(said, now, unless_repeated=True)
        if not said:
            return "We have no address of theirs: there is nothing to stop."
        return "Nothing but messages about an order goes to them any more."
