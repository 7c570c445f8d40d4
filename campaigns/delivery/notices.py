"""What colleagues are told becomes mail: each notice one delivery, sent by the same loop as everything else.

No consent, purchase or cap is asked for a colleague; a hold, an invented address, leases and the fence count
for them as for anybody. A notice that cannot be handed on says why, and is handed on once it can be.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from campaigns.delivery import outbox
from campaigns.models import Delivery, Sender
from crm.kernel import tokens
from crm.kernel.work import Budget, batches
from crm.models import Channel, Notice, Purpose
from crm.models.writing import update_rows

SUBJECT = "notice"
_BATCH = 200
_PRIORITY = 20
NO_SENDER = "There is no sender yet: messages come from a person."


def hand_on(now: datetime, budget: Budget) -> int:
    """Put a delivery into the queue for every notice that waits. Returns how many."""
    sender = Sender.objects.filter(is_default=True).first()
    if sender is None:
        Notice.objects.filter(handed_at=None, problem="").update(problem=NO_SENDER)
        return 0
    purpose = Purpose.objects.get(key="transactional")
    return sum(map(len, batches(lambda: _batch(sender, purpose, now), budget)))


@transaction.atomic
def _batch(sender: Sender, purpose: Purpose, now: datetime) -> list[Delivery]:
    # One with a problem waits until the problem may be gone, and stands in nobody's way.
    worth_asking = Q(problem__in=["", NO_SENDER]) | Q(user__is_active=True) & ~Q(user__email="")
    waiting = Notice.objects.filter(worth_asking, handed_at=None).select_related("user")
    locked = waiting.select_for_update(skip_locked=True, of=("self",), no_key=True)
    notices = list(locked.order_by("problem", "created_at", "pk")[:_BATCH])
    made = []
    for notice in notices:
        notice.problem = _problem(notice)
        if not notice.problem:
            notice.handed_at = now
            made.append(_delivery(notice, sender, purpose, now))
    update_rows(notices, "problem", "handed_at")
    outbox.enqueue(made)
    return made


def _problem(notice: Notice) -> str:
    user = notice.user
    if not user.is_active:
        return f"{user} does not work here any more."
    if not user.email:
        return f"{user} has no e-mail address."
    try:
        tokens.address_hash(Channel.EMAIL, user.email)
    except ValueError as wrong:
        return f"{user.email} cannot be written to: {wrong}."[:300]
    return ""


def _delivery(notice: Notice, sender: Sender, purpose: Purpose, now: datetime) -> Delivery:
    address = notice.user.email
    return Delivery(
        dedupe_key=f"n:{notice.pk}",
        origin=Delivery.Origin.NOTICE,
        channel=Channel.EMAIL,
        address_hash=tokens.address_hash(Channel.EMAIL, address)[0],
        test_address=tokens.normalise(Channel.EMAIL, address),
        purpose=purpose,
        sender=sender,
        subject_kind=SUBJECT,
        subject_id=notice.pk,
        due_at=notice.created_at,
        not_before=now,
        priority=_PRIORITY,
        created_at=now,
    )
