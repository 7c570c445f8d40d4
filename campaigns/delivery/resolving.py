"""What a person decides about a message whose delivery is unconfirmed."""

from datetime import datetime

from django.db import transaction

from campaigns.delivery.channels.base import wake
from campaigns.models import Decision, Delivery, DeliveryState
from crm.models import Contact

_SAID = {
    DeliveryState.QUEUED: (
        Decision.Verdict.QUEUED,
        "sent_again",
        "{by} had it sent again; it may arrive twice",
    ),
    DeliveryState.FAILED: (
        Decision.Verdict.FAILED,
        "closed",
        "{by} closed it; whether it arrived is not known",
    ),
    DeliveryState.SENT: (Decision.Verdict.SENT, "found_sent", "{by} found that it had arrived"),
}


class NotUnknown(Exception):
    """The delivery is not, or no longer, unconfirmed."""


@transaction.atomic
def resolve(delivery: Delivery, to: str, by: str, now: datetime) -> None:
    """End the doubt: *queued* sends it again (perhaps twice), *failed* closes it, *sent* says it arrived."""
    verdict, reason, words = _SAID[DeliveryState(to)]
    again = to == DeliveryState.QUEUED
    changed = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.UNKNOWN).update(
        state=to,
        reason=reason,
        not_before=now if again else delivery.not_before,
        finished_at=None if again else now,
        subject_version=None if again else delivery.subject_version,
        products=None if again else delivery.products,
        products_stamp=None if again else delivery.products_stamp,
    )
    if not changed:
        raise NotUnknown(f"{delivery} is not unconfirmed")
    delivery.attempt_log.filter(ended_at=None).update(ended_at=now, result=f"by_{to}"[:12])
    if delivery.contact_id and Contact.objects.filter(pk=delivery.contact_id).exists():
        Decision.objects.create(
            contact_id=delivery.contact_id,
            campaign_id=delivery.campaign_id,
            enrolment_id=delivery.enrolment_id,
            delivery_id=delivery.pk,
            step_key=delivery.step_key,
            verdict=verdict,
            reason=reason,
            words=words.format(by=by)[:300],
            evidence={"by": by},
            decided_at=now,
        )
    if again:
        wake([delivery.channel])
