"""A cart was left: somebody filled one, has done nothing at all for a while, and has not bought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Guarded, Trigger, triggers
from campaigns.models import Campaign, Enrolment
from crm.models import Order
from tracking.models import Cart
from tracking.shop import carts

LONGEST_LOOK_BACK = timedelta(hours=24)

ENDED = {
    Cart.State.BOUGHT: "purchased",
    Cart.State.EMPTIED: "cart_emptied",
    Cart.State.EXPIRED: "cart_forgotten",
}


@triggers.register
class AbandonedCart(Trigger):
    """Lets in whoever left a cart.

    A cart is left when its person has done nothing at all, on any device, for the delay, and a line with a
    price remains. Coming back starts the delay anew, any order ends it. One run a person in the campaign's
    re-entry time, unless they bought since, and only after a change of the cart by the person.
    """

    key = "campaigns.abandoned_cart"
    label = "A cart was left"
    group = "Shop"
    subject_kind = "cart"
    is_recorded = True
    lift_days = 7

    class Params(forms.Form):
        delay_minutes = forms.DecimalField(
            label="minutes without any activity",
            min_value=1,
            max_value=7 * 24 * 60,
            initial=8,
            help_text="Counted from the last thing the person did on any device. Practitioners write after "
            "5 to 10 minutes: sooner interrupts, later finds them gone.",
        )
        not_checkouts = forms.BooleanField(
            label="not those that got as far as the checkout",
            required=False,
            help_text="Where another campaign writes about checkouts that were left.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        due = self._due(params, campaign, now)
        found: dict[UUID, Entrant] = {}
        # Two carts of one person: the one they changed last is the one they are thinking of.
        for cart in due.order_by("due_at", "contact_id", "-changed_at", "id")[:limit]:
            if cart.contact_id not in found:
                found[cart.contact_id] = Entrant(
                    contact_id=cart.contact_id,
                    entry=f"cart:{cart.pk}:{cart.series}",
                    qualified_at=cart.due_at,
                    subject_kind=self.subject_kind,
                    subject_id=cart.pk,
                    is_test=cart.contact_is_test,
                    evidence=_evidence(cart),
                )
        return list(found.values())

    def recalled(
        self, params: dict[str, Any], campaign: Campaign, since: datetime, until: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        """By the last change of each cart, and the visit it was made in: a cart is kept as it was last."""
        found = carts.left_then(_delay(params), since, until)
        if params["not_checkouts"]:
            found = found.exclude(carts.at_checkout())
        found = found.annotate(contact_is_test=F("contact__is_test"))
        rows = may_enter(found, campaign, until, self.subject_kind).order_by("due_at", "id")[:limit]
        return [
            Entrant(
                contact_id=cart.contact_id,
                entry=f"cart:{cart.pk}:0",
                qualified_at=cart.due_at,
                subject_kind=self.subject_kind,
                subject_id=cart.pk,
                is_test=cart.contact_is_test,
            )
            for cart in rows
        ]

    def guard_of(
        self, params: dict[str, Any], enrolments: Sequence[Enrolment], now: datetime
    ) -> dict[UUID, Guarded]:
        subjects = {enrolment.subject_id for enrolment in enrolments if enrolment.subject_id}
        people = {enrolment.contact_id for enrolment in enrolments}
        found = {cart.pk: cart for cart in Cart.objects.filter(pk__in=subjects, contact_id__in=people)}
        delay = _delay(params)
        return {
            enrolment.pk: _guarded(found[enrolment.subject_id], delay)
            if enrolment.subject_id and enrolment.subject_id in found
            else Guarded(ended="cart_gone")
            for enrolment in enrolments
        }

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        cart = (
            Cart.objects.filter(contact_id=contact_id, item_count__gt=0)
            .annotate(is_open=Q(state=Cart.State.OPEN))
            .order_by("-is_open", "-changed_at")
            .first()
        )
        if cart is None:
            return None
        return Entrant(contact_id, f"try:cart:{cart.pk}", now, self.subject_kind, cart.pk, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        minutes = params["delay_minutes"].normalize()
        return f"A cart was left: nothing done for {minutes:f} minutes, nothing bought"

    def left(self, params: dict[str, Any], now: datetime, since: datetime) -> QuerySet[Cart]:
        """The carts that were left and fell due after `since`."""
        found = carts.left(now, _delay(params), since=since)
        return found.exclude(carts.at_checkout()) if params["not_checkouts"] else found

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = now - (campaign.expires_after or LONGEST_LOOK_BACK)
        if campaign.launched_at:
            since = max(since, campaign.launched_at)
        runs = Enrolment.objects.filter(campaign=campaign, contact=OuterRef("contact"))
        bought_since = (
            Order.objects.filter(contact=OuterRef("contact"), occurred_at__gt=OuterRef("entered_at"))
            .exclude(status=Order.Status.CANCELLED)
            .order_by()
        )
        # Counted from the due moment: whoever was too soon then is not written to later, when it is stale.
        reentry = timedelta(days=float(campaign.reentry_days))
        not_since = ExpressionWrapper(OuterRef("due_at") - Value(reentry), DateTimeField())
        too_soon = runs.filter(entered_at__gt=not_since).exclude(Exists(bought_since))
        unchanged = runs.filter(entered_at__gte=OuterRef("changed_at"))
        earlier = (
            Enrolment.objects.filter(
                campaign=campaign, contact=OuterRef("contact"), subject_kind="cart", subject_id=OuterRef("pk")
            )
            .order_by()
            .values("contact")
            .annotate(runs=Count("pk"))
            .values("runs")
        )
        found = (
            self.left(params, now, since)
            .filter(~Exists(too_soon), ~Exists(unchanged))
            .annotate(
                series=Coalesce(Subquery(earlier, output_field=IntegerField()), 0),
                contact_is_test=F("contact__is_test"),
            )
        )
        return may_enter(found, campaign, now, self.subject_kind)


def _delay(params: dict[str, Any]) -> timedelta:
    return timedelta(minutes=float(params["delay_minutes"]))


def _guarded(cart: Cart, delay: timedelta) -> Guarded:
    return Guarded(
        since=cart.opened_at,
        cart_token=cart.token,
        checkout_id=cart.checkout_id,
        idle_for=delay,
        subject_version=cart.changed_at,
        ended=ENDED.get(Cart.State(cart.state), ""),
    )


def _evidence(cart: Any) -> dict[str, Any]:
    return {
        "cart": str(cart.pk),
        "total": f"{cart.total:.2f} {cart.currency}".strip(),
        "items": cart.item_count,
        "last_seen_at": cart.idle_since.isoformat(),
        "due_at": cart.due_at.isoformat(),
    }
