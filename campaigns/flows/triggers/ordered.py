"""Somebody ordered: their first order, their second, a later one, or any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Guarded, Trigger, triggers
from campaigns.models import Campaign, Enrolment
from crm.conditions.words import counted
from crm.models import Order

LONGEST_LOOK_BACK = timedelta(days=1)
ANY, FIRST, SECOND, LATER = "any", "first", "second", "later"
_WORDS = {ANY: "Ordered", FIRST: "Ordered for the first time", SECOND: "Ordered for the second time"}
_UNDONE = (Order.Status.CANCELLED, Order.Status.REFUNDED)
GONE = Guarded(ended="order_gone", words="The order is no longer known.")


@triggers.register
class Ordered(Trigger):
    """Lets in whoever ordered, whatever it was and wherever, when so many days have gone by since.

    An order that was cancelled or sent back lets nobody in and ends the run; cancelled ones are not counted
    when it is asked whether this was their first. Where the campaign ends with an order, a later one ends it
    and begins it anew, whatever the re-entry time. Otherwise one run a person in that time.
    """

    key = "campaigns.ordered"
    label = "Ordered"
    group = "Shop"
    is_recorded = True
    subject_kind = "order"

    class Params(forms.Form):
        which = forms.ChoiceField(
            label="which order",
            choices=[
                (ANY, "any"),
                (FIRST, "the first"),
                (SECOND, "the second"),
                (LATER, "the third or a later one"),
            ],
            initial=ANY,
            help_text="The first order is thanked for best, the second makes a customer.",
        )
        days = forms.IntegerField(
            label="days after the order",
            min_value=0,
            max_value=365,
            initial=0,
            required=False,
            help_text="None: at once, while they are glad of it. Put waits into the steps rather than here.",
        )

        def clean_days(self) -> int:
            return self.cleaned_data["days"] or 0

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        rows = self._due(params, campaign, now).order_by("due_at", "pk")[:limit]

        def entrant(order: Any) -> Entrant:
            return Entrant(
                contact_id=order.contact_id,
                entry=f"order:{order.pk}",
                qualified_at=order.due_at,
                subject_kind=self.subject_kind,
                subject_id=order.pk,
                is_test=order.contact_is_test,
                evidence={
                    "order": str(order),
                    "ordered_at": order.occurred_at.isoformat(),
                    "total": f"{order.total:.2f} {order.currency}",
                },
            )

        return forward.one_each(rows, entrant)

    def guard_of(
        self, params: dict[str, Any], enrolments: Sequence[Enrolment], now: datetime
    ) -> dict[UUID, Guarded]:
        orders = Order.objects.in_bulk({one.subject_id for one in enrolments if one.subject_id})
        return {
            one.pk: _guarded(orders[one.subject_id]) if one.subject_id and one.subject_id in orders else GONE
            for one in enrolments
        }

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        order = Order.objects.filter(contact_id=contact_id).order_by("-occurred_at").first()
        if order is None:
            return None
        return Entrant(contact_id, f"try:order:{order.pk}", now, self.subject_kind, order.pk, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        what = _WORDS.get(params["which"], "Ordered for the third time or later")
        return f"{what}; {counted(params['days'], 'day')} after it" if params["days"] else what

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        wait = timedelta(days=params["days"])
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        found = (
            Order.objects.filter(occurred_at__gt=since - wait, occurred_at__lte=now - wait)
            .exclude(status__in=_UNDONE)
            .annotate(
                due_at=forward.later(F("occurred_at"), wait),
                contact_is_test=F("contact__is_test"),
            )
            .filter(contact__merged_into=None)
        )
        if campaign.exit_on_purchase:
            begun = forward.runs(campaign).filter(subject_id=OuterRef("pk"))
            found = found.filter(~Exists(begun), ~Exists(_later(now)))
        else:
            found = found.filter(~Exists(forward.entered_since(campaign, "due_at")))
        return may_enter(_of_number(found, params["which"]), campaign, now, self.subject_kind)


def _later(now: datetime) -> QuerySet[Order]:
    """Orders of the same person after that of the outer row: they would end its run at once."""
    orders = Order.objects.filter(
        contact=OuterRef("contact"), occurred_at__gt=OuterRef("occurred_at"), occurred_at__lte=now
    )
    return orders.exclude(status=Order.Status.CANCELLED)


def _of_number(orders: QuerySet[Any], which: str) -> QuerySet[Any]:
    """Only a person's first, second or later order, by when they were placed."""
    if which == ANY:
        return orders
    before = Order.objects.filter(
        contact=OuterRef("contact"), occurred_at__lt=OuterRef("occurred_at")
    ).exclude(status=Order.Status.CANCELLED)
    number = before.order_by().values("contact").annotate(number=Count("pk")).values("number")
    counted_before = orders.annotate(before=Coalesce(Subquery(number, IntegerField()), 0))
    wanted = {FIRST: {"before": 0}, SECOND: {"before": 1}, LATER: {"before__gte": 2}}
    return counted_before.filter(**wanted[which])


def _guarded(order: Order) -> Guarded:
    # The order itself is not one that ends it.
    since = order.occurred_at + timedelta(microseconds=1)
    match order.status:
        case Order.Status.CANCELLED:
            return Guarded(since=since, ended="order_cancelled", words="The order was cancelled.")
        case Order.Status.REFUNDED:
            return Guarded(since=since, ended="order_refunded", words="The order was sent back.")
        case _:
            return Guarded(since=since)
