"""Conditions about carts: what stands open, and what it is worth."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from crm.kernel.rules import Condition, Scope, conditions
from tracking.models import Cart


class _HasCart(Condition):
    """A cart, with what it is worth now: what it was worth in the past is not kept."""

    group = "Carts"
    exact_in_past = False

    class Params(forms.Form):
        at_least = forms.DecimalField(
            label="worth at least",
            min_value=Decimal("0.01"),
            max_digits=12,
            decimal_places=2,
            required=False,
            help_text="Blank: whatever it is worth.",
        )

    def carts(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Cart]:
        found = Cart.objects.filter(contact=OuterRef("pk"))
        return found.filter(total__gte=params["at_least"]) if params["at_least"] else found

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(self.carts(params, at, scope)))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        carts = self.carts(params | {"at_least": None}, at, scope)
        return Subquery(carts.order_by("-total").values("total")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return "no such cart" if value is None else f"a cart of {value:,.2f}"

    def worth(self, params: dict[str, Any]) -> str:
        return f" worth at least {params['at_least']:,.2f}" if params["at_least"] else ""


@conditions.register
class CartOpen(_HasCart):
    """Who has a cart standing open, worth at least so much."""

    key = "tracking.cart_open"
    label = "Has an open cart"

    def carts(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Cart]:
        standing = Q(closed_at=None) | Q(closed_at__gt=at)
        return super().carts(params, at, scope).filter(standing, opened_at__lte=at)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"have an open cart{self.worth(params)}"


@conditions.register
class ThisCart(_HasCart):
    """Whose cart, the one this flow is about, is worth at least so much."""

    key = "tracking.this_cart"
    label = "This cart is worth"
    needs = frozenset({"subject:cart"})

    def carts(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Cart]:
        return super().carts(params, at, scope).filter(pk=scope.inside.subject_id)

    def sentence(self, params: dict[str, Any]) -> str:
        return f"came with a cart{self.worth(params)}"
