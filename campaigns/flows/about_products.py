"""What triggers have in common that are about a product somebody wanted: it came back, it became cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Guarded, Trigger
from campaigns.models import Campaign, Enrolment
from crm.models import Product
from tracking.models import Event, EventKind
from tracking.shop import interest

# Of several products that one person wanted, the next may follow when the re-entry time is over.
LONGEST_LOOK_BACK = timedelta(days=3)
GONE = Guarded(ended="product_gone", words="The shop no longer has the product.")
_SAID = {EventKind.PRODUCT: "looked_at", EventKind.FAVOURITE: "saved_at", EventKind.CART: "in_a_cart_at"}
SOLD_OUT = ("sold_out", "It is sold out again.")


class AboutProduct(Trigger):
    """Something changed about a product, and these people wanted it."""

    group = "Products"
    subject_kind = "product"
    entry = ""

    def wanted(
        self, params: dict[str, Any], since: datetime, now: datetime, told: interest.Told
    ) -> QuerySet[Any]:
        """The last act of each person with a product that changed after `since`, annotated with `due_at`."""
        raise NotImplementedError(f"{type(self).__name__} is about no products")

    def evidence(self, row: Any, product: Product) -> dict[str, Any]:
        """What was true at the moment they entered."""
        return {"product": str(product), _SAID[row.kind]: row.occurred_at.isoformat()}

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        found: dict[UUID, Any] = {}
        # Two products of one person: what they wanted last is what they are thinking of.
        for row in self._due(params, campaign, now).order_by("due_at", "-occurred_at", "pk")[:limit]:
            found.setdefault(row.contact_id, row)
        products = Product.objects.in_bulk({row.product_id for row in found.values()})
        return [
            Entrant(
                contact_id=row.contact_id,
                entry=f"{self.entry}:{row.product_id}:{row.due_at.isoformat()}",
                qualified_at=row.due_at,
                subject_kind=self.subject_kind,
                subject_id=row.product_id,
                is_test=row.contact_is_test,
                evidence=self.evidence(row, products[row.product_id]),
            )
            for row in found.values()
        ]

    def guard_of(
        self, params: dict[str, Any], enrolments: Sequence[Enrolment], now: datetime
    ) -> dict[UUID, Guarded]:
        products = Product.objects.in_bulk({one.subject_id for one in enrolments if one.subject_id})
        return {
            one.pk: _guarded(one, products[one.subject_id])
            if one.subject_id and one.subject_id in products
            else GONE
            for one in enrolments
        }

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        looked = Event.objects.filter(contact_id=contact_id, kind__in=interest.LOOKS, occurred_at__lte=now)
        last = looked.filter(product_id__isnull=False).order_by("-occurred_at").first()
        if last is None:
            return None
        entry = f"try:{self.entry}:{last.product_id}"
        return Entrant(contact_id, entry, now, self.subject_kind, last.product_id, is_test=True)

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        since = max(now - LONGEST_LOOK_BACK, campaign.launched_at or campaign.created_at)
        lately = now - timedelta(days=float(campaign.reentry_days))
        runs = Enrolment.objects.filter(campaign=campaign, entered_at__gt=min(lately, since))
        found = (
            self.wanted(params, since, now, interest.Told(runs, lately))
            .annotate(contact_is_test=F("contact__is_test"))
            .filter(contact__merged_into=None)
        )
        return may_enter(found, campaign, now, self.subject_kind, "product_id")


def _guarded(enrolment: Enrolment, product: Product) -> Guarded:
    ended, words = SOLD_OUT if product.is_sold_out else ("", "")
    return Guarded(since=enrolment.qualified_at, ended=ended, words=words)
