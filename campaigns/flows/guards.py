"""What flows are about, looked at once more in the moment of sending: the product, the order, the visit."""

from __future__ import annotations

from datetime import datetime

from django.db.models import DateTimeField, DecimalField, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from campaigns.delivery.guards import Guard, guards
from campaigns.flows.triggers.price_drop import ROSE, PriceDrop
from campaigns.models import Campaign, Enrolment
from crm.models import Order, PriceChange, Product
from tracking.models import Visit
from tracking.shop import browsing


@guards.register
class SoldOutAgain(Guard):
    """The product it is about cannot be bought: sold out, no longer sold, or gone."""

    key = "campaigns.sold_out"
    label = "Sold out again"
    place = 62
    reason = "sold_out"
    words = "The product it is about is sold out"

    def blocks(self, now: datetime) -> Q:
        here = Product.objects.buyable().filter(pk=OuterRef("subject_id"))
        return Q(subject_kind="product") & ~Q(Exists(here))


@guards.register
class PriceRose(Guard):
    """A message about a lower price, and the product costs more again than it did when the person entered."""

    key = "campaigns.price_rose"
    label = "The price rose again"
    place = 63
    reason = ROSE[0]
    words = "The price of the product it is about rose again"

    def blocks(self, now: datetime) -> Q:
        entered = Enrolment.objects.filter(
            pk=OuterRef(OuterRef("enrolment_id")), contact=OuterRef(OuterRef("contact_id"))
        )
        known = PriceChange.objects.filter(
            product=OuterRef("subject_id"), recorded_at__lte=Subquery(entered.values("qualified_at"))
        )
        then = Subquery(
            known.order_by("-occurred_at", "-id").values("price")[:1],
            DecimalField(max_digits=12, decimal_places=2),
        )
        product = Product.objects.filter(pk=OuterRef("subject_id")).values("price")
        drops = Campaign.objects.filter(pk=OuterRef("campaign_id"), trigger=PriceDrop.key)
        return Q(subject_kind="product") & Q(Exists(drops)) & Q(GreaterThan(Subquery(product), then))


@guards.register
class OrderUndone(Guard):
    """The order it is about was cancelled, sent back, or is gone."""

    key = "campaigns.order_undone"
    label = "Order cancelled or sent back"
    place = 64
    reason = "order_undone"
    words = "The order it is about was cancelled or sent back"

    def blocks(self, now: datetime) -> Q:
        undone = (Order.Status.CANCELLED, Order.Status.REFUNDED)
        stands = Order.objects.filter(pk=OuterRef("subject_id")).exclude(status__in=undone)
        return Q(subject_kind="order") & ~Q(Exists(stands))


@guards.register
class CartSince(Guard):
    """A message about what somebody looked at, and by now they have put something into a cart."""

    key = "campaigns.cart_since"
    label = "A cart since the visit"
    place = 66
    reason = "cart_open"
    words = "They have put something into a cart since"

    def blocks(self, now: datetime) -> Q:
        visit = Visit.objects.filter(
            pk=OuterRef(OuterRef("subject_id")), contact=OuterRef(OuterRef("contact_id"))
        ).values("started_at")
        since = Coalesce(Subquery(visit), OuterRef("created_at"), output_field=DateTimeField())
        return Q(subject_kind="visit", idle_for__isnull=False) & Q(
            Exists(browsing.open_cart(OuterRef("contact_id"), since))
        )
