"""Conditions that count: at least, at most or exactly so many of something a person has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.conditions import words
from crm.conditions.words import EXACTLY, LEAST, MOST
from crm.kernel.rules import Condition, Scope
from crm.people.among import among


class OftenForm(forms.Form):
    """How often. Rules that do not say which mean *at least*."""

    which = forms.ChoiceField(
        label="so often",
        choices=[(LEAST, "at least"), (MOST, "at most"), (EXACTLY, "exactly")],
        initial=LEAST,
        required=False,
        help_text="At most counts those who never did, too.",
    )
    times = forms.IntegerField(label="times", min_value=1, max_value=1000, initial=1)

    def clean_which(self) -> str:
        return self.cleaned_data["which"] or LEAST


class Often(Condition):
    """So many rows of a person. What rows, and what one is called, is for each condition to say."""

    moment = "occurred_at"

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[Any]:
        """Everybody's rows that count."""
        raise NotImplementedError(f"{type(self).__name__} counts nothing")

    def noun(self, params: dict[str, Any]) -> tuple[str, str]:
        """What is counted: "order with a coupon", "orders with a coupon"."""
        raise NotImplementedError(f"{type(self).__name__} has no name for what it counts")

    def at_least(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        rows = self.rows(params, at, scope)
        if number == 1:
            return Q(Exists(rows.filter(contact_id=OuterRef("pk"))))
        people = self._counted(rows, scope)
        return among(people.filter(number__gte=number).values("contact_id"))

    def exactly(self, number: int, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        more = self.at_least(number + 1, params, at, scope)
        return self.at_least(number, params, at, scope) & ~more

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        asked = (params["times"], params, at, scope)
        match params["which"]:
            case "most":
                return ~self.at_least(params["times"] + 1, params, at, scope)
            case "exactly":
                return self.exactly(*asked)
            case _:
                return self.at_least(*asked)

    def _counted(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        return scope.narrowed(rows).order_by().values("contact_id").annotate(number=Count("pk"))

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        mine = self.rows(params, at, scope).filter(contact_id=OuterRef("pk"))
        told = JSONObject(number=Count("pk"), last=Max(F(self.moment)))
        return Subquery(mine.order_by().values("contact_id").annotate(told=told).values("told"))

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return f"no {self.noun(params)[0]}"
        return f"{words.counted(value['number'], *self.noun(params))}, last on {words.day(value['last'])}"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        has = (value or {}).get("number", 0)
        lower = 0 if params["which"] == MOST else params["times"]
        upper = None if params["which"] == LEAST else params["times"]
        more, fewer = lower - has, 0 if upper is None else has - upper
        if not wanted:
            more, fewer = (0, has - lower + 1) if upper is None else (upper + 1 - has, 0)
        one, many = self.noun(params)
        if more > 0:
            return words.counted(more, f"more {one}", f"more {many}")
        return words.counted(fewer, f"{one} fewer", f"{many} fewer") if fewer > 0 else ""
