"""Stop writing to somebody who did not say that they want to hear from us."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Decision
from crm.models import Channel, ConsentEvent, ConsentState, ContactPoint, Purpose
from crm.people import consent

WORDS = "We stop writing: their consent to marketing by e-mail has expired."


@steps.register
class StopWriting(Step):
    """What people agreed to for marketing by e-mail expires, for every purpose, and stands so in their
    history. Only they can bring it back, by agreeing again. Messages about their orders still reach them.

    People of the control group and of a flow in shadow keep it: they were not asked.
    """

    key = "campaigns.stop_writing"
    label = "Stop writing to them"
    group = acting.END
    icon = "notifications_off"

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people = [person for person in batch.people if not batch.withhold(person)]
        for person in people:
            batch.decide(person, Decision.Verdict.SKIPPED, "consent_expired", WORDS)
        real = {person.contact_id for person in people if not person.is_test}
        owners: dict[bytes, Any] = {
            bytes(address): contact_id
            for address, contact_id in ContactPoint.objects.filter(
                contact_id__in=real, channel=Channel.EMAIL
            ).values_list("address_hash", "contact_id")
        }
        standing = ConsentState.objects.filter(
            address_hash__in=owners,
            channel=Channel.EMAIL,
            may_send=True,
            purpose__kind=Purpose.Kind.MARKETING,
        )
        consent.record(
            [
                consent.Said(
                    bytes(address),
                    Channel.EMAIL,
                    key,
                    ConsentEvent.Action.EXPIRED,
                    batch.now,
                    "flow",
                    contact_id=owners[bytes(address)],
                    source_ref=f"campaign {batch.campaign.pk}",
                )
                for address, key in standing.order_by("id").values_list("address_hash", "purpose__key")
            ],
            batch.now,
        )
        return {}
