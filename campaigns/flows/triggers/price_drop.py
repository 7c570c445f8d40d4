"""A product somebody looked at or saved costs less than it did then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import F, OuterRef, QuerySet, Subquery

from campaigns.flows.about_products import AboutProduct
from campaigns.flows.kinds import Guarded, triggers
from campaigns.models import Enrolment
from crm.conditions.words import counted
from crm.models import PriceChange, Product
from crm.shop import prices
from tracking.shop import interest

ROSE = ("price_rose", "Its price rose again.")


@triggers.register
class PriceDrop(AboutProduct):
    """Lets in whoever looked at a product or saved it, when the site asks less for it by so many percent than
    it did when they last looked.

    Whoever looked again since has seen the new price. One run a person and price, and one in the campaign's
    re-entry time: where many products became cheaper, it is about the one they looked at last. If the price
    rises again or the product is sold out, the run ends and nothing is sent.
    """

    key = "campaigns.price_drop"
    label = "A product became cheaper"
    entry = "price"

    class Params(forms.Form):
        percent = forms.IntegerField(
            label="at least so many percent cheaper",
            min_value=1,
            max_value=95,
            initial=10,
            help_text="Ten: less is not worth a message, and looks like rounding.",
        )
        look_back_days = forms.IntegerField(
            label="looked at or saved in the last days",
            min_value=1,
            max_value=365,
            initial=30,
            help_text="A month: whoever looked longer ago has bought elsewhere or thought better of it.",
        )

    def wanted(
        self, params: dict[str, Any], since: datetime, now: datetime, told: interest.Told
    ) -> QuerySet[Any]:
        fallen = [
            interest.Changed(one.product_id, one.occurred_at, one.recorded_at, one.price, one.currency)
            for one in prices.fallen(since, now)
        ]
        left = (100 - Decimal(params["percent"])) / 100
        return interest.cheaper(fallen, left, now - timedelta(days=params["look_back_days"]), told)

    def evidence(self, row: Any, product: Product) -> dict[str, Any]:
        told = {"price": f"{row.price:.2f} {row.currency}", "was": f"{row.price_then:.2f} {row.currency}"}
        return super().evidence(row, product) | told

    def guard_of(
        self, params: dict[str, Any], enrolments: Sequence[Enrolment], now: datetime
    ) -> dict[UUID, Guarded]:
        found = super().guard_of(params, enrolments, now)
        risen = set(
            Enrolment.objects.filter(
                pk__in=[one.pk for one in enrolments], contact__in={one.contact_id for one in enrolments}
            )
            .annotate(price_then=_asked_at("qualified_at"), price=_asked_now())
            .filter(price__gt=F("price_then"))
            .values_list("pk", flat=True)
        )
        ended, words = ROSE
        return {
            key: replace(guard, ended=ended, words=words) if key in risen and not guard.ended else guard
            for key, guard in found.items()
        }

    def sentence(self, params: dict[str, Any]) -> str:
        days = counted(params["look_back_days"], "day")
        return f"A product they looked at or saved in the last {days} became {params['percent']} % cheaper"


def _asked_at(moment: str) -> Subquery:
    """What the site asked for the subject, as known at a moment of the outer row."""
    known = PriceChange.objects.filter(product=OuterRef("subject_id"), recorded_at__lte=OuterRef(moment))
    return Subquery(known.order_by("-occurred_at", "-id").values("price")[:1])


def _asked_now() -> Subquery:
    return Subquery(Product.objects.filter(pk=OuterRef("subject_id")).values("price"))
