"""The offer a message gives: its code, what it is worth, on which conditions."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from campaigns.messages import variables
from campaigns.messages.kinds import Asked, Fact, facts
from campaigns.messages.variables import Variable
from campaigns.models import Coupon, Delivery
from campaigns.offers import telling
from crm.shop.settings import shop_zone


@facts.register
class Offered(Fact):
    """What the step gives with its message, and by which code: the offer chosen in the step. Everything may
    be missing, because somebody may get the message without its offer. A preview shows an example, a test the
    step's own offer with an example of a code; neither uses one up.
    """

    key = "campaigns.offer"
    label = "Offer"
    name = "offer"
    shape = {
        "code": Variable(
            "the code to type in at the checkout", "SPRING-7KQ2-MX9D-4HJPW", may_be_missing=True
        ),
        "headline": Variable("what it is, in words", "20 % off", may_be_missing=True),
        "amount": Variable("how much", "20 %", may_be_missing=True),
        "conditions": Variable(
            "on what, from how much and until when",
            "On Speakers, from €50.00, until 9 March 2026, once.",
            may_be_missing=True,
        ),
        "on": Variable("on what", "on Speakers", may_be_missing=True),
        "ends_at": Variable(
            "until when it is good", datetime(2026, 3, 9, 23, 59, tzinfo=UTC), may_be_missing=True
        ),
        "minimum": Variable("from what order on", Decimal("50.00"), may_be_missing=True),
        "gift": Variable("what is given", "a tote bag", may_be_missing=True),
        "applies_next_order": Variable(
            "whether it is good for the next order only", False, may_be_missing=True
        ),
    }

    def load(self, asked: Asked) -> dict[int, Any]:
        deliveries = [one.delivery for one in asked.recipients if one.delivery and one.delivery.offer_id]
        held = {
            coupon.held_for: coupon
            for coupon in Coupon.objects.filter(
                held_for__in=[delivery.public_id for delivery in deliveries]
            ).select_related("offer")
        }
        zone = shop_zone()
        found = {}
        for one in asked.recipients:
            delivery = one.delivery
            if delivery is None:
                found[one.key] = variables.example(self.shape)
            elif coupon := held.get(delivery.public_id):
                found[one.key] = telling.told(coupon.offer, coupon, asked.shop, zone)
            elif delivery.offer and delivery.origin == Delivery.Origin.TEST:
                found[one.key] = telling.told(delivery.offer, None, asked.shop, zone)
        return found
