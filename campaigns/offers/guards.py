"""The discount guard in the moment of sending."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db.models import Count, DecimalField, Exists, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from campaigns.delivery.guards import Guard, Verdict, guards
from campaigns.models import Coupon, OfferSettings
from campaigns.models.offers import is_running
from campaigns.offers.reserving import usable
from crm.models import ContactStatus, Order
from tracking.models import CartLine


@guards.register
class OfferChanged(Guard):
    """What the offer rests upon is not what it was when the message was made: the offer or the site's ended
    or was changed, the code was used or ended, they bought something, or a price changed. The message is made
    anew: the discount guard judges again, and it leaves with the offer, without it, or not at all.
    """

    key = "campaigns.offer_changed"
    label = "Offer changed"
    place = 80
    verdict = Verdict.REQUEUE
    reason = "offer_changed"
    words = "Its offer changed after the message was made"
    tells = False

    def blocks(self, now: datetime) -> Q:
        # Asked before a message is made anew as well: then nothing rests upon the verdict yet.
        held = Coupon.objects.filter(held_for=OuterRef("public_id"), lease_seen=OuterRef("lease_token"))
        placed = Order.objects.filter(contact=OuterRef("contact_id")).order_by().values("contact")
        orders = placed.annotate(number=Count("pk")).values("number")
        lines = CartLine.objects.filter(
            cart=OuterRef(OuterRef("subject_id")), contact=OuterRef("contact_id"), product__isnull=False
        )
        asked = Sum(Coalesce("product__price", "price", Decimal(0)))
        price = lines.order_by().values("cart").annotate(asked=asked).values("asked")
        version = Subquery(OfferSettings.objects.values("version")[:1])
        money = DecimalField(max_digits=16, decimal_places=2)
        stands = held.filter(
            usable(now),
            Q(rests_on__isnull=True) | is_running(now, "rests_on__"),
            contact_id=OuterRef("contact_id"),
            orders_seen=Coalesce(Subquery(orders), 0),
            goods_price=Coalesce(Subquery(price, money), Value(Decimal(0), money)),
            version_seen=Coalesce(version, 1),
        ).filter(Q(offer__for_status__isnull=True) | Exists(_status_still_held(now)))
        return Q(offer__isnull=False) & Q(Exists(held)) & ~Q(Exists(stands))


def _status_still_held(now: datetime) -> QuerySet[ContactStatus]:
    return ContactStatus.objects.filter(
        contact=OuterRef("contact_id"),
        status=OuterRef("offer__for_status"),
        occurred_at__lte=now,
        until__gt=now,
        ended_at=None,
    )
