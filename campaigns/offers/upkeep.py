"""What becomes of coupons, learned from deliveries, orders and the clock, a few statements each."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery

from campaigns.models import Coupon, Delivery, DeliveryAttempt, DeliveryState, Enrolment
from campaigns.offers.granting import UNSEEN
from crm.models import Order

# Orders are often told of late, and looked through again for so long.
LATE = timedelta(days=7)

_UNSENT = (DeliveryState.SUPPRESSED, DeliveryState.SKIPPED, DeliveryState.FAILED)
_LEFT = (DeliveryState.SENT, DeliveryState.UNKNOWN)

# Of a shared code the newest hold that began before the order; of a single code its row, whoever holds it.
_USED = """
WITH bought AS (
    SELECT o.id, o.contact_id, o.occurred_at, upper(btrim(o.coupon_code)) AS code
    FROM crm_order o
    WHERE o.coupon_code <> '' AND o.occurred_at > %(placed_since)s AND o.status <> %(cancelled)s
      AND GREATEST(o.recorded_at, o.source_at) >= %(since)s AND o.recorded_at <= %(now)s
), matched AS (
    SELECT DISTINCT ON (c.id) c.id, b.id AS order_id, b.occurred_at, b.contact_id
    FROM bought b
    JOIN campaigns_coupon c ON upper(c.code) = b.code
     AND (c.is_single OR c.contact_id = b.contact_id AND c.reserved_at <= b.occurred_at)
    WHERE c.state <> 'used'
      AND (c.is_single OR NOT EXISTS (
            SELECT FROM campaigns_coupon d WHERE d.order_id = b.id AND d.contact_id = b.contact_id))
    ORDER BY c.id, b.occurred_at
), chosen AS (
    SELECT DISTINCT ON (m.order_id) m.id, m.order_id, m.occurred_at
    FROM matched m JOIN campaigns_coupon c ON c.id = m.id
    ORDER BY m.order_id, c.reserved_at DESC NULLS LAST, c.id DESC
)
UPDATE campaigns_coupon c
SET state = 'used', used_at = chosen.occurred_at, order_id = chosen.order_id
FROM chosen WHERE c.id = chosen.id
"""


def learn_used(now: datetime, since: datetime) -> int:
    """Mark what orders we learned of since an instant were paid with, by their code in any case of letters.

    A single code is used up whoever used it, also one that nobody was given. Returns how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _USED,
            {
                "placed_since": since - LATE,
                "since": since,
                "now": now,
                "cancelled": Order.Status.CANCELLED.value,
            },
        )
        return cursor.rowcount


def settle(now: datetime) -> int:
    """Reserved codes whose message left become shown; those of messages that ended otherwise go back to the
    pool, or to the run they are set aside for, and to the pool when that has ended. Never one that may have
    been seen: sent and unconfirmed messages keep theirs. Returns how many.
    """
    mine = Delivery.objects.filter(public_id=OuterRef("held_for"))
    doubtful = DeliveryAttempt.objects.filter(delivery__public_id=OuterRef("held_for")).exclude(
        result__in=UNSEEN
    )
    left = Q(Exists(mine.filter(state__in=_LEFT)))
    ended = Q(Exists(mine.filter(state__in=_UNSENT))) | ~Q(Exists(mine))
    reserved = Coupon.objects.filter(state=Coupon.State.RESERVED)
    carried = reserved.filter(held_for__isnull=False)
    when = Subquery(mine.values("fenced_at")[:1])
    shown = carried.filter(left | ended & Q(Exists(doubtful))).update(state=Coupon.State.SHOWN, shown_at=when)
    back = carried.filter(ended & ~Q(Exists(doubtful)))
    run = Enrolment.objects.filter(
        pk=OuterRef("enrolment_id"), contact=OuterRef("contact_id"), state=Enrolment.State.ACTIVE
    )
    with transaction.atomic():
        back.filter(enrolment_id__isnull=False).update(held_for=None)
        over = reserved.filter(~Q(Exists(run)), held_for=None)
        back = back.filter(enrolment_id=None) | over
        forgotten = back.filter(is_single=False).delete()[0]
        freed = back.filter(is_single=True).update(
            state=Coupon.State.FREE,
            contact_id=None,
            held_for=None,
            enrolment_id=None,
            reserved_at=None,
            rests_on=None,
            next_order=False,
            expires_at=F("good_until"),
        )
    return shown + forgotten + freed


def expire(now: datetime) -> int:
    """Codes past their end. Returns how many."""
    alive = [Coupon.State.FREE, Coupon.State.RESERVED, Coupon.State.SHOWN]
    past = Coupon.objects.filter(state__in=alive, expires_at__lte=now)
    return past.update(state=Coupon.State.EXPIRED, expired_at=F("expires_at"))
