"""Somebody will soon have used up what they bought: by their own rhythm, or by how long it lasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import (
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Coalesce, Greatest

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign
from crm.conditions.words import counted
from crm.models import Bought

LONGEST_LOOK_BACK = timedelta(days=3)
_DAY = timedelta(days=1)


@triggers.register
class Replenishment(Trigger):
    """Lets in whoever is about to need a product again: so many days before the moment at which, by the usual
    gap between their own purchases of it, they would buy it next. The flow is about that product.

    It takes two purchases on different days, or a product of which the shop has said how long one lasts.
    Whoever bought something else of its category meanwhile has a substitute and is left out, and so is a
    product that is sold out. Of a rhythm shorter than twice those days half of it goes by first. Once a
    purchase, and one run a person in the campaign's re-entry time.
    """

    key = "campaigns.replenishment"
    label = "Will soon need it again"
    group = "Shop"
    subject_kind = "product"
    lift_days = 30

    class Params(forms.Form):
        days_before = forms.IntegerField(
            label="days before it is due",
            min_value=0,
            max_value=90,
            initial=5,
            help_text="Five days: the parcel should be there before the last one is used up.",
        )

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        def entrant(row: Any) -> Entrant:
            return Entrant(
                contact_id=row.contact_id,
                entry=f"again:{row.product_id}:{row.last_at:%Y-%m-%d}",
                qualified_at=row.due_at,
                subject_kind=self.subject_kind,
                subject_id=row.product_id,
                is_test=row.contact_is_test,
                evidence={
                    "product": str(row.product),
                    "bought": row.orders,
                    "last_at": row.last_at.isoformat(),
                    "usual_gap_days": round((row.needed_at - row.last_at) / _DAY, 1),
                    "by": "their own rhythm" if row.again_at else "how long it lasts",
                },
            )

        due = self._due(params, campaign, now).select_related("product")
        return forward.one_each(due.order_by("due_at", "pk")[:limit], entrant)

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        mine = Bought.objects.filter(contact=contact_id)
        row = mine.order_by("-orders", "-last_at").first()
        if row is None:
            return None
        return Entrant(
            contact_id, f"try:again:{row.pk}", now, self.subject_kind, row.product_id, is_test=True
        )

    def sentence(self, params: dict[str, Any]) -> str:
        return f"Somebody will need a product again in {counted(params['days_before'], 'day')}"

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        days = timedelta(days=params["days_before"])
        # By their own rhythm: off the index of that moment. By how long it lasts: of those few products.
        own = Bought.objects.filter(again_at__gt=since, again_at__lte=now + days)
        lasting = Bought.objects.filter(
            again_at=None, product__days_of_supply__gt=0, last_at__gt=since - _LONGEST, last_at__lte=now
        )
        lasts = ExpressionWrapper(
            F("product__days_of_supply") * F("quantity") * Value(_DAY, DurationField()),
            output_field=DurationField(),
        )
        needed_at = Coalesce(
            "again_at", ExpressionWrapper(F("last_at") + lasts, output_field=DateTimeField())
        )
        half = ExpressionWrapper((F("needed_at") - F("last_at")) / 2, output_field=DurationField())
        halfway = ExpressionWrapper(F("last_at") + half, output_field=DateTimeField())
        substitutes = (
            Bought.objects.filter(
                contact=OuterRef("contact"),
                product__category=OuterRef("product__category"),
                last_at__gt=OuterRef("last_at"),
            )
            .exclude(product=OuterRef("product"))
            .exclude(product__category="")
        )
        found = (
            Bought.objects.filter(Q(pk__in=own.values("pk").union(lasting.values("pk"))))
            .filter(product__is_active=True, contact__merged_into=None)
            .exclude(product__in_stock=False)
            .annotate(needed_at=needed_at, contact_is_test=F("contact__is_test"))
            .annotate(due_at=Greatest(forward.later(F("needed_at"), -days), halfway))
            .filter(~Exists(substitutes), due_at__gt=since, due_at__lte=now)
        )
        found = found.filter(~Exists(forward.entered_since(campaign, "due_at")))
        return may_enter(found, campaign, now, self.subject_kind, "product")


# Nothing that is used up and bought again lasts longer.
_LONGEST = timedelta(days=3 * 366)
