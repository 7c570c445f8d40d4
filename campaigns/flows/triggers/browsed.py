"""Somebody looked around in the shop, put nothing in a cart, and went away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Least

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Guarded, Trigger, triggers
from campaigns.models import Campaign, Enrolment
from crm.conditions.words import counted
from crm.models import Order
from tracking.models import Visit
from tracking.shop import browsing

LONGEST_LOOK_BACK = timedelta(hours=6)
HAS_CART = ("cart_open", "They have put something into a cart since.")


@triggers.register
class Browsed(Trigger):
    """Lets in whoever visited the shop, looked at products, and left without anything in a cart, when so many
    hours have gone by since the visit ended.

    A visit counts with so many different products, with a minute on its pages, or with a search. Whoever is
    here again, on whatever device, is left in peace until they have been away as long again. One run a person
    in the campaign's re-entry time. An order of the last days keeps them out, a cart or an order since ends
    it.
    """

    key = "campaigns.browsed"
    label = "Looked around and left"
    group = "Shop"
    subject_kind = "visit"

    class Params(forms.Form):
        hours = forms.IntegerField(
            label="hours after the visit",
            min_value=1,
            max_value=7 * 24,
            initial=1,
            help_text="One: they have really gone, and still know what they looked at.",
        )
        products = forms.IntegerField(
            label="with at least so many products",
            min_value=1,
            max_value=100,
            initial=2,
            help_text="Two: one is often a wrong turn. A minute in the shop or a search counts as well.",
        )
        without_order_days = forms.IntegerField(
            label="and no order in the last days",
            min_value=0,
            max_value=365,
            initial=14,
            help_text="Two weeks: whoever has just bought is looking where the parcel is.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        # Two visits of one person: the later one is what they are thinking of.
        found = {
            visit.contact_id: Entrant(
                contact_id=visit.contact_id,
                entry=f"visit:{visit.pk}",
                qualified_at=visit.due_at,
                subject_kind=self.subject_kind,
                subject_id=visit.pk,
                is_test=visit.contact_is_test,
                evidence={
                    "visit_began": visit.started_at.isoformat(),
                    "visit_ended": visit.ended_at.isoformat(),
                    "products": visit.products,
                    "pages": visit.pages,
                    "seconds": visit.seconds,
                },
            )
            for visit in self._due(params, campaign, now).order_by("due_at", "pk")[:limit]
        }
        return list(found.values())

    def guard_of(
        self, params: dict[str, Any], enrolments: Sequence[Enrolment], now: datetime
    ) -> dict[UUID, Guarded]:
        away, free = timedelta(hours=params["hours"]), timedelta(days=params["without_order_days"])
        visits = browsing.still_known(
            {one.subject_id: one.contact_id for one in enrolments if one.subject_id is not None}
        )
        carts = browsing.open_carts({one.contact_id for one in enrolments})
        found = {}
        for one in enrolments:
            ended_at = one.qualified_at - away
            visit = visits.get(one.subject_id) if one.subject_id else None
            began = visit.started_at if visit else ended_at
            has_cart = one.contact_id in carts and carts[one.contact_id] >= began
            ended, words = HAS_CART if has_cart else ("", "")
            found[one.pk] = Guarded(
                since=min(began, ended_at - free), idle_for=away, ended=ended, words=words
            )
        return found

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        visits = Visit.objects.filter(contact_id=contact_id, ended_at__lte=now).order_by("-started_at")
        visit = visits.filter(products__gt=0).first() or visits.first()
        if visit is None:
            return None
        return Entrant(contact_id, f"try:visit:{visit.pk}", now, self.subject_kind, visit.pk, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        products, hours = counted(params["products"], "product"), counted(params["hours"], "hour")
        return f"Looked at {products} or more, put nothing in a cart, and left {hours} ago"

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        away, free = timedelta(hours=params["hours"]), timedelta(days=params["without_order_days"])
        since = forward.since(campaign, now, campaign.expires_after or LONGEST_LOOK_BACK)
        bought = Order.objects.filter(
            contact=OuterRef("contact"),
            occurred_at__gte=Least(OuterRef("started_at"), forward.later(OuterRef("ended_at"), -free)),
        ).exclude(status=Order.Status.CANCELLED)
        runs = Enrolment.objects.filter(campaign=campaign, contact=OuterRef("contact"))
        found = (
            browsing.browsed(params["products"], since - away, now - away)
            .annotate(
                due_at=forward.later(F("ended_at"), away),
                contact_is_test=F("contact__is_test"),
            )
            .filter(
                ~Exists(runs.filter(entered_at__gte=OuterRef("ended_at"))),
                ~Exists(forward.entered_since(campaign, "due_at")),
                ~Exists(bought),
                contact__merged_into=None,
            )
        )
        return may_enter(found, campaign, now, self.subject_kind)
