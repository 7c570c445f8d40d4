"""A checkout was left: somebody got that far, has done nothing at all for a while, and has not bought."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet

from campaigns.flows.kinds import triggers
from campaigns.flows.triggers.abandoned_cart import AbandonedCart
from tracking.models import Cart
from tracking.shop import carts


@triggers.register
class AbandonedCheckout(AbandonedCart):
    """Lets in whoever went to the checkout with a cart and left it.

    All else is as for a cart that was left: the delay counts from the last thing the person did on any
    device, any order ends it, one run a person in the campaign's re-entry time. A campaign about left carts
    that runs beside this one writes about the same carts, unless it says *not those that got as far as the
    checkout*.
    """

    key = "campaigns.abandoned_checkout"
    label = "A checkout was left"

    class Params(forms.Form):
        delay_minutes = AbandonedCart.Params.base_fields["delay_minutes"]

    def left(self, params: dict[str, Any], now: datetime, since: datetime) -> QuerySet[Cart]:
        return super().left(params | {"not_checkouts": False}, now, since).filter(carts.at_checkout())

    def sentence(self, params: dict[str, Any]) -> str:
        return super().sentence(params).replace("A cart", "A checkout")
