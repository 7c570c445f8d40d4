"""Conditions about orders that came to nothing, or were paid back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from crm.conditions import words
from crm.conditions.bought import Ordering
from crm.conditions.often import OftenForm
from crm.conditions.spans import SpanForm, span_of
from crm.kernel.rules import Scope, conditions
from crm.models import Order

REFUNDED, CANCELLED, EITHER = "refunded", "cancelled", "either"
_WORDS = {
    REFUNDED: ("had money back for", "an order", "refunded"),
    CANCELLED: ("cancelled", "an order", "cancelled"),
    EITHER: ("cancelled or had money back for", "an order", "cancelled or refunded"),
}


@conditions.register
class OrderUndone(Ordering):
    """Whose orders were refunded, in whole or in part, or cancelled; by the day the order was placed."""

    key = "crm.order_undone"
    label = "Refunded or cancelled an order"

    class Params(OftenForm, SpanForm):
        what = forms.ChoiceField(
            label="what",
            choices=[(REFUNDED, "had money back"), (CANCELLED, "cancelled"), (EITHER, "either")],
        )
        field_order = ("what",)

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Order]:
        placed = Order.objects.filter(occurred_at__lte=at, recorded_at__lte=at, source_at__lte=at)
        refunded = Q(refunded__gt=0) | Q(status=Order.Status.REFUNDED)
        cancelled = Q(status=Order.Status.CANCELLED)
        undone = {REFUNDED: refunded, CANCELLED: cancelled, EITHER: refunded | cancelled}
        return placed.filter(undone[params["what"]], span_of(params).q(at))

    def sentence(self, params: dict[str, Any]) -> str:
        verb, what, _ = _WORDS[params["what"]]
        return words.joined(verb, what, words.often(params["which"], params["times"]), span_of(params).words)

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        undone = _WORDS[params["what"]][2]
        span = span_of(params).words
        return words.joined(f"{undone} order", span), words.joined(f"{undone} orders", span)
