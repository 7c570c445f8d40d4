"""Money to the message that earned it: an order goes to the last human click, or the cart brought back,
before it.

Opens credit nothing. Which touch came last decides, whenever we learned of it, so the result depends on
the facts alone and any run may be repeated.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from campaigns.models import OrderCredit
from crm.models import Order
from tracking.models import Actor, EventKind

WINDOW = timedelta(days=5)
AT_ONCE = timedelta(hours=24)
REVISED_FOR = timedelta(days=60)

TOUCHED = """
SELECT o.contact_id, o.id, touch.delivery_id, touch.campaign_id, touch.how, touch.at,
       o.occurred_at, o.currency, o.occurred_at - touch.at <= %(at_once)s,
       GREATEST(o.total - o.tax - o.shipping - o.refunded, 0)
FROM crm_order o
JOIN crm_contact c ON c.id = o.contact_id AND NOT c.is_test
CROSS JOIN LATERAL (
    SELECT d.id AS delivery_id, d.campaign_id, t.how, t.at
    FROM (
        SELECT e.ref, e.occurred_at AS at, %(click)s AS how
        FROM tracking_event e
        WHERE e.contact_id = o.contact_id AND e.kind = ANY(%(kinds)s) AND e.actor = ANY(%(humans)s)
          AND e.ref IS NOT NULL
          AND e.occurred_at <= o.occurred_at AND e.occurred_at > o.occurred_at - %(window)s
        UNION ALL
        SELECT k.restored_ref, k.restored_at, %(restored)s
        FROM tracking_cart k
        WHERE (k.token = o.cart_token AND o.cart_token <> ''
               OR k.contact_id = o.contact_id AND k.order_id = o.id)
          AND k.restored_ref IS NOT NULL
          AND k.restored_at <= o.occurred_at AND k.restored_at > o.occurred_at - %(window)s
    ) t
    JOIN campaigns_delivery d ON d.public_id = t.ref AND d.origin = 'flow' AND d.campaign_id IS NOT NULL
    ORDER BY t.at DESC, t.how DESC, d.id DESC
    LIMIT 1
) touch
WHERE o.id >= %(first)s AND o.recorded_at >= %(since)s AND o.status <> %(cancelled)s
"""

REVISE = """
UPDATE campaigns_ordercredit k
SET amount = GREATEST(o.total - o.tax - o.shipping - o.refunded, 0)
FROM crm_order o
WHERE o.id = k.order_id AND o.contact_id = k.contact_id AND k.ordered_at > %(since)s
  AND k.amount <> GREATEST(o.total - o.tax - o.shipping - o.refunded, 0)
"""

FORGET = """
DELETE FROM campaigns_ordercredit k
USING crm_order o
WHERE o.id = k.order_id AND k.ordered_at > %(since)s AND o.status = %(cancelled)s
"""


def credit(now: datetime, since: datetime) -> int:
    """Credit the orders we learned of since an instant, and follow refunds and cancellations. Returns rows
    written.
    """
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {
            "at_once": AT_ONCE,
            "window": WINDOW,
            "click": OrderCredit.How.CLICK.value,
            "restored": OrderCredit.How.RESTORED.value,
            "kinds": [EventKind.CLICK.value, EventKind.LANDING.value],
            "humans": [Actor.HUMAN.value, Actor.LIKELY_HUMAN.value],
            "cancelled": Order.Status.CANCELLED.value,
            "since": since,
            "first": _first_id(since),
        }
        cursor.execute(TOUCHED, asked)
        found = [_credit(*row) for row in cursor.fetchall()]
        written = _write(found)
        followed: dict[str, Any] = {"since": now - REVISED_FOR, "cancelled": Order.Status.CANCELLED.value}
        cursor.execute(REVISE, followed)
        written += cursor.rowcount
        cursor.execute(FORGET, followed)
        return written + cursor.rowcount


def _credit(
    contact_id: UUID,
    order_id: UUID,
    delivery_id: int,
    campaign_id: int,
    how: str,
    touched_at: datetime,
    ordered_at: datetime,
    currency: str,
    at_once: bool,
    amount: Decimal,
) -> OrderCredit:
    return OrderCredit(
        contact_id=contact_id,
        order_id=order_id,
        delivery_id=delivery_id,
        campaign_id=campaign_id,
        how=how,
        touched_at=touched_at,
        ordered_at=ordered_at,
        currency=currency,
        at_once=at_once,
        amount=amount,
    )


def _write(found: list[OrderCredit]) -> int:
    orders = [credit.order_id for credit in found]
    known = {
        credit.order_id: (credit.delivery_id, credit.touched_at, credit.amount)
        for credit in OrderCredit.objects.filter(order_id__in=orders)
    }
    news = [
        credit
        for credit in found
        if known.get(credit.order_id) != (credit.delivery_id, credit.touched_at, credit.amount)
    ]
    OrderCredit.objects.bulk_create(
        news,
        update_conflicts=True,
        unique_fields=["contact", "order_id"],
        update_fields=["delivery_id", "campaign", "how", "touched_at", "at_once", "amount", "currency"],
        batch_size=1000,
    )
    return len(news)


def _first_id(since: datetime) -> UUID:
    """The smallest key a row written since then can have: keys grow with time, so old orders are not even
    read.
    """
    return UUID(int=max(int(since.timestamp() * 1000), 0) << 80)
