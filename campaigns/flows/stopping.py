"""Take one person out of everything they are in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from campaigns.delivery.resting import TAKEN_OUT
from campaigns.models import Decision, Due, Enrolment
from crm.models.writing import insert_rows, update_rows


@transaction.atomic
def take_out(contact_id: UUID, now: datetime, *, words: str, reason: str = TAKEN_OUT) -> int:
    """End every run of theirs now, for one of the reasons of `campaigns.delivery.resting`; what is queued of
    it does not leave. Returns how many runs ended.
    """
    # Whoever moves them on at this moment holds these rows, and is waited for.
    held = Due.objects.filter(contact_id=contact_id).order_by("due_at", "pk").select_for_update(no_key=True)
    dues = [due.pk for due in held]
    runs = list(Enrolment.objects.filter(contact_id=contact_id, state=Enrolment.State.ACTIVE))
    for run in runs:
        run.state, run.left_reason, run.finished_at = Enrolment.State.LEFT, reason, now
    update_rows(runs, "state", "left_reason", "finished_at")
    Due.objects.filter(pk__in=dues).delete()
    insert_rows(
        [
            Decision(
                contact_id=contact_id,
                campaign_id=run.campaign_id,
                enrolment_id=run.pk,
                verdict=Decision.Verdict.LEFT,
                reason=reason,
                words=words,
                decided_at=now,
            )
            for run in runs
        ]
    )
    return len(runs)
