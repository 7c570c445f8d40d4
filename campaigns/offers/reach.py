"""What an offer is on: whether it covers a product, and whether one offer covers all another one does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from campaigns.models import Offer, OfferProduct

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Good:
    """A thing a message speaks of, or somebody bought: as the catalogue knows it, with the site's price."""

    product_id: UUID | None = None
    name: str = ""
    category: str = ""
    brand: str = ""
    price: Decimal | None = None
    cost: Decimal | None = None
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True)
class Reach:
    """An offer with the certain products it is on, where it is on such."""

    offer: Offer
    listed: Mapping[UUID, Good] = field(default_factory=dict)

    def covers(self, good: Good) -> bool:
        """Whether the offer takes something off this."""
        match self.offer.on:
            case Offer.On.CATEGORY:
                return same(good.category, self.offer.category)
            case Offer.On.BRAND:
                return same(good.brand, self.offer.brand)
            case Offer.On.PRODUCTS:
                return good.product_id in self.listed
        return True

    def holds(self, other: Reach) -> bool:
        """Whether everything the other offer is on is covered by this one."""
        if self.offer.on == Offer.On.EVERYTHING:
            return True
        if other.offer.on == Offer.On.PRODUCTS:
            return bool(other.listed) and all(self.covers(good) for good in other.listed.values())
        if other.offer.on != self.offer.on:
            return False
        return same(other.offer.category, self.offer.category) and same(other.offer.brand, self.offer.brand)

    @property
    def products(self) -> Q:
        """The products it is on, as a filter of the catalogue."""
        match self.offer.on:
            case Offer.On.CATEGORY:
                return Q(category__iexact=self.offer.category)
            case Offer.On.BRAND:
                return Q(brand__iexact=self.offer.brand)
            case Offer.On.PRODUCTS:
                return Q(pk__in=list(self.listed))
        return Q()


def same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def reaches(offers: Iterable[Offer]) -> list[Reach]:
    """The offers with their certain products, in one query."""
    found = list(offers)
    listed: dict[int, dict[UUID, Good]] = {}
    rows = OfferProduct.objects.filter(
        offer__in=[offer.pk for offer in found if offer.on == Offer.On.PRODUCTS]
    ).select_related("product")
    for row in rows:
        good = Good(row.product_id, row.product.name, row.product.category, row.product.brand)
        listed.setdefault(row.offer_id, {})[row.product_id] = good
    return [Reach(offer, listed.get(offer.pk, {})) for offer in found]
