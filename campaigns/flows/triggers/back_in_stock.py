"""A product somebody wanted was sold out, and can be bought again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet

from campaigns.flows.about_products import AboutProduct
from campaigns.flows.kinds import triggers
from crm.conditions.words import counted
from crm.models import Order, OrderLine
from crm.shop import stock
from tracking.shop import interest


@triggers.register
class BackInStock(AboutProduct):
    """Lets in whoever looked at a product, saved it or had it in a cart while it was sold out or before, when
    it can be bought again.

    Whoever has been at its page since knows already, and whoever bought it since has it. One run a person,
    product and return, and one in the campaign's re-entry time: of several products that are back, the one
    they wanted last comes first. If it is sold out again, the run ends and nothing is sent.
    """

    key = "campaigns.back_in_stock"
    label = "A product is back in stock"
    entry = "back"

    class Params(forms.Form):
        look_back_days = forms.IntegerField(
            label="wanted it in the last days",
            min_value=1,
            max_value=365,
            initial=60,
            help_text="Two months: goods are away for weeks, and whoever still wants it has not forgotten.",
        )

    def wanted(
        self, params: dict[str, Any], since: datetime, now: datetime, told: interest.Told
    ) -> QuerySet[Any]:
        back = [
            interest.Changed(one.product_id, one.occurred_at, one.recorded_at)
            for one in stock.back(since, now)
        ]
        bought = OrderLine.objects.filter(
            contact=OuterRef("contact"),
            product=OuterRef("product_id"),
            occurred_at__gte=OuterRef("occurred_at"),
        ).exclude(order__status=Order.Status.CANCELLED)
        look_back = timedelta(days=params["look_back_days"])
        return interest.wanted(back, now - look_back, told).filter(~Exists(bought))

    def sentence(self, params: dict[str, Any]) -> str:
        days = counted(params["look_back_days"], "day")
        return f"A product they looked at, saved or had in a cart in the last {days} is back"
