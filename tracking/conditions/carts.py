"""Conditions about carts: what stands open, for how long, what is in it, and what was left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.conditions import goods, words
from crm.conditions.goods import GoodsForm
from crm.conditions.often import Often, OftenForm
from crm.conditions.spans import turned
from crm.kernel.rules import Condition, Scope, conditions
from tracking.models import Cart, CartLine

GROUP = "Carts"
LEFT_AFTER = timedelta(hours=1)
_UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}


class CartForm(GoodsForm):
    """Which cart: what it is worth and what it holds."""

    at_least = forms.DecimalField(
        label="worth at least",
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        required=False,
        help_text="Blank: whatever it is worth.",
    )
    at_most = forms.DecimalField(
        label="worth at most", min_value=Decimal("0.01"), max_digits=12, decimal_places=2, required=False
    )
    field_order: Sequence[str] = ("at_least", "at_most")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        least, most = cleaned.get("at_least"), cleaned.get("at_most")
        if least and most and least > most:
            self.add_error("at_most", "this is less than the least")
        return cleaned


class OpenCartForm(CartForm):
    things = forms.IntegerField(
        label="with at least so many things", min_value=1, max_value=1000, required=False
    )
    age = forms.ChoiceField(
        label="last changed",
        choices=[("", "whenever"), ("least", "at least … ago"), ("most", "within the last …")],
        required=False,
    )
    length = forms.IntegerField(label="so long", min_value=1, max_value=100_000, required=False)
    unit = forms.ChoiceField(
        label="unit", choices=[(unit, unit) for unit in _UNITS], initial="hours", required=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("age") and not cleaned.get("length") and "length" not in self.errors:
            self.add_error("length", "say how long")
        cleaned["unit"] = cleaned.get("unit") or "hours"
        return cleaned


class _HasCart(Condition):
    """A cart, with what it is worth and holds now: what it held in the past is not kept."""

    group = GROUP
    exact_in_past = False

    def standing(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Cart]:
        """The carts of the person around that can be meant at all."""
        raise NotImplementedError(f"{type(self).__name__} names no carts")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(_filled(params, self.standing(params, at, scope))))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        worthiest = self.standing(params, at, scope).order_by("-total")
        told = JSONObject(total="total", currency="currency", changed="changed_at", things="item_count")
        return Subquery(worthiest.values(told=told)[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "no such cart"
        worth = f"{Decimal(str(value['total'])):,.2f} {value['currency']}".strip()
        return f"a cart of {worth}, last changed on {words.day(value['changed'])}"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        least = params["at_least"]
        if wanted and value and least and (worth := Decimal(str(value["total"]))) < least:
            return f"a cart worth {words.money(least - worth)} more"
        return ""


def _filled(params: dict[str, Any], carts: QuerySet[Cart]) -> QuerySet[Cart]:
    """Of these carts, those of that worth that hold the goods."""
    if params["at_least"]:
        carts = carts.filter(total__gte=params["at_least"])
    if params["at_most"]:
        carts = carts.filter(total__lte=params["at_most"])
    if goods.are_named(params):
        lines = CartLine.objects.filter(cart=OuterRef("pk"), contact=OuterRef("contact"))
        carts = carts.filter(Exists(lines.filter(goods.on_lines(params, own="external_id"))))
    return carts


def _about(params: dict[str, Any]) -> str:
    least, most = params["at_least"], params["at_most"]
    worth = f"worth {words.between(least, most, words.money)}" if least or most else ""
    what = f"with {goods.in_words(params)}" if params["product"] else ""
    if goods.are_named(params) and not what:
        what = f"with something {goods.in_words(params)}"
    return words.joined(worth, what)


@conditions.register
class CartOpen(_HasCart):
    """Who has a cart standing open: worth so much, with certain goods, untouched for a while or touched just
    now.
    """

    key = "tracking.cart_open"
    label = "Has an open cart"

    class Params(OpenCartForm):
        """Which cart, and how old its last change."""

    def standing(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Cart]:
        mine = Cart.objects.filter(contact_id=OuterRef("pk"), opened_at__lte=at)
        if scope.current:
            return mine.filter(state=Cart.State.OPEN)
        return mine.filter(Q(closed_at=None) | Q(closed_at__gt=at))

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        carts = _filled(params, self.standing(params, at, scope))
        if params["things"]:
            carts = carts.filter(item_count__gte=params["things"])
        if params["age"] == "least":
            carts = carts.filter(changed_at__lte=at - _age(params))
        elif params["age"]:
            carts = carts.filter(changed_at__gt=at - _age(params))
        return Q(Exists(carts))

    def sentence(self, params: dict[str, Any]) -> str:
        things = f"of {words.counted(params['things'], 'thing')} or more" if params["things"] else ""
        aged = self._aged(params)
        return words.joined("have an open cart", things, _about(params)) + (f", {aged}" if aged else "")

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        if not params["age"]:
            return []
        carts = Cart.objects.filter(state=Cart.State.OPEN)
        aged = carts.filter(changed_at__gt=since - _age(params), changed_at__lte=at - _age(params))
        return [aged.order_by().values("contact_id")]

    def _aged(self, params: dict[str, Any]) -> str:
        if not params["age"]:
            return ""
        length = words.counted(params["length"], params["unit"].removesuffix("s"))
        return f"unchanged for {length}" if params["age"] == "least" else f"changed within the last {length}"


def _age(params: dict[str, Any]) -> timedelta:
    return params["length"] * _UNITS[params["unit"]]


@conditions.register
class ThisCart(_HasCart):
    """Whose cart, the one this flow is about, is worth so much or holds certain goods."""

    key = "tracking.this_cart"
    label = "This cart is worth"
    needs = frozenset({"subject:cart"})

    class Params(CartForm):
        """What it is worth, and what it holds."""

    def standing(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Cart]:
        return Cart.objects.filter(contact_id=OuterRef("pk"), pk=scope.inside.subject_id)

    def sentence(self, params: dict[str, Any]) -> str:
        return words.joined("came with a cart", _about(params))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return []


@conditions.register
class LeftCarts(Often):
    """Who left carts in the last days, so many times: with a priced thing in it, unchanged for an hour or
    more, and neither bought nor emptied since. When a cart was changed before its last change is not kept.
    """

    key = "tracking.left_carts"
    label = "Left a cart"
    group = GROUP
    exact_in_past = False
    moment = "changed_at"

    class Params(OftenForm, CartForm):
        days = forms.IntegerField(label="in the last days", min_value=1, max_value=3650, initial=30)
        field_order = ("which", "times", "days")

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Cart]:
        left = Cart.objects.filter(
            has_priced_line=True,
            opened_at__lte=at,
            changed_at__lte=at - LEFT_AFTER,
            changed_at__gt=at - timedelta(days=params["days"]),
        )
        forgotten = Q(state=Cart.State.EXPIRED)
        standing = Q(state=Cart.State.OPEN) if scope.current else Q(closed_at=None) | Q(closed_at__gt=at)
        return _filled(params, left.filter(standing | forgotten))

    def sentence(self, params: dict[str, Any]) -> str:
        often = words.often(params["which"], params["times"])
        return words.joined("left a cart", _about(params), often, self._span(params))

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        about = words.joined(_about(params), self._span(params))
        return f"cart left {about}", f"carts left {about}"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        carts = Cart.objects.filter(has_priced_line=True)
        just_left = carts.filter(changed_at__gt=since - LEFT_AFTER, changed_at__lte=at - LEFT_AFTER)
        return [
            just_left.order_by().values("contact_id"),
            turned(carts, params["days"], since, at, "changed_at"),
        ]

    def _span(self, params: dict[str, Any]) -> str:
        return f"in the last {words.counted(params['days'], 'day')}".replace("last 1 day", "last day")
