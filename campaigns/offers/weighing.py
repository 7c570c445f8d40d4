"""The sums of the discount guard: whether the site gives as much, and what margin a reduction leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db.models import F, Q

from campaigns.models import Offer, OfferSettings
from campaigns.offers.reach import HUNDRED, Good, Reach, same
from crm.models import Product


def as_good_on_the_site(reach: Reach, on_site: Iterable[Reach]) -> Offer | None:
    """An offer of the site by which nobody is promised more than the site gives everybody; the offer itself
    where it is the site's.

    It has to give the same sort of thing, at least as much, on at least as much, from no higher an amount on.
    """
    offer = reach.offer
    if not offer.is_private:
        return offer
    for other in on_site:
        if (
            other.offer.kind == offer.kind
            and (other.offer.value or 0) >= (offer.value or 0)
            and (offer.kind != Offer.Kind.GIFT or same(other.offer.gift, offer.gift))
            and (other.offer.minimum or 0) <= (offer.minimum or 0)
            and other.holds(reach)
        ):
            return other.offer
    return None


def too_deep(reach: Reach, goods: Sequence[Good], rules: OfferSettings) -> str:
    """Why the offer falls below the margin floor, in words; nothing where it does not.

    Asked of the goods a message shows, or, where it shows none that the offer is on, of the whole catalogue.
    Where a cost is not known, the depth of the reduction is what is bounded.
    """
    if reach.offer.kind not in (Offer.Kind.PERCENT, Offer.Kind.AMOUNT):
        return ""
    covered = [good for good in goods if good.price and reach.covers(good)]
    if reach.offer.kind == Offer.Kind.AMOUNT:
        return _amount_too_deep(reach.offer, covered, rules)
    if covered:
        return next(filter(None, (_percent_too_deep(reach.offer, good, rules) for good in covered)), "")
    return _too_deep_somewhere(reach, rules)


def _percent_too_deep(offer: Offer, good: Good, rules: OfferSettings) -> str:
    assert offer.value is not None and good.price is not None
    if good.cost is None:
        return _depth(offer.value, rules, good.name)
    after = good.price * (HUNDRED - offer.value) / HUNDRED
    return "" if _keeps(after, good.cost, rules) else _below(good.name, after, rules)


def _amount_too_deep(offer: Offer, goods: Sequence[Good], rules: OfferSettings) -> str:
    assert offer.value is not None
    worth = sum(((good.price or 0) * good.quantity for good in goods), Decimal(0))
    minimum = offer.minimum or Decimal(0)
    costs = [good.cost for good in goods]
    if goods and worth >= minimum and all(cost is not None for cost in costs):
        cost = sum(((good.cost or 0) * good.quantity for good in goods), Decimal(0))
        after = worth - offer.value
        what = goods[0].name if len(goods) == 1 else "what they look at"
        return "" if _keeps(after, cost, rules) else _below(what, after, rules)
    spent = max(worth, minimum)
    if not spent:
        return "an amount off without a minimum may be all of an order: give the offer a minimum"
    return _depth(offer.value * HUNDRED / spent, rules, "")


def _too_deep_somewhere(reach: Reach, rules: OfferSettings) -> str:
    value = reach.offer.value
    assert value is not None
    sold = Product.objects.filter(reach.products, is_active=True, price__gt=0)
    unknown = Q(cost__isnull=True) if value > rules.deepest_without_cost else Q(pk__in=[])
    left = HUNDRED - value
    falls = Q(cost__isnull=False)
    if left > 0:
        falls &= Q(cost__gt=F("price") * (left * (HUNDRED - rules.margin_floor) / 10_000))
    worst = sold.filter(unknown | falls).order_by("cost", "pk").first()
    if worst is None:
        return "" if sold.exists() else _depth(value, rules, "")
    if worst.cost is None:
        return _depth(value, rules, worst.name)
    return _below(worst.name, (worst.price or Decimal(0)) * left / HUNDRED, rules)


def _keeps(after: Decimal, cost: Decimal, rules: OfferSettings) -> bool:
    return after - cost >= after * rules.margin_floor / HUNDRED and after > 0


def _depth(percent: Decimal, rules: OfferSettings, name: str) -> str:
    most = rules.deepest_without_cost
    if percent <= most:
        return ""
    of = f"the cost of “{name}” is not known" if name else "costs are not known"
    return f"{percent:.0f} % off is more than {most.normalize():f} %, the most where {of}"


def _below(name: str, after: Decimal, rules: OfferSettings) -> str:
    floor = rules.margin_floor.normalize()
    return f"“{name}” at {after:.2f} would leave less than the margin floor of {floor:f} %"
