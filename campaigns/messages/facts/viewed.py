"""What each person looked at lately and has not bought; or in the visit the message is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from campaigns.messages import goods, recommend
from campaigns.messages.facts.recommend import wanted
from campaigns.messages.kinds import Asked, Fact, Recipient, facts
from crm.models import Product
from tracking.shop import browsing


@facts.register
class Viewed(Fact):
    """The products this person looked at in the last thirty days and did not buy, the last one first; only
    what can be bought now. Empty for somebody who looked at nothing. In a message about one visit, exactly
    the products of that visit.
    """

    key = "campaigns.viewed"
    label = "Products viewed"
    name = "viewed"
    shape = {"products": goods.SHAPES}

    def load(self, asked: Asked) -> dict[int, Any]:
        of_visits = _of_visits([one for one in asked.recipients if one.subject_kind == "visit"])
        others = [one for one in asked.recipients if one.key not in of_visits]
        found = recommend.looked_at(wanted(others), asked.now) | of_visits
        for one in asked.recipients:
            one.shown.update(goods.seen(found[one.key]))
        return {
            key: {"products": [goods.told(product, asked.shop) for product in products]}
            for key, products in found.items()
        }

    def goods(self, told: Any) -> dict[str, Any]:
        return {"viewed.products": told["products"]}


def _of_visits(recipients: Sequence[Recipient]) -> dict[int, list[Product]]:
    """What each looked at in the visit their message is about, as far as that visit is known."""
    visits = browsing.still_known(
        {one.subject_id: one.contact.pk for one in recipients if one.subject_id is not None}
    )
    seen = browsing.products_of(visits)
    named: set[UUID] = {product for products in seen.values() for product in products}
    shown = Product.objects.buyable().exclude(url="").defer("description").in_bulk(named)
    return {
        one.key: [shown[key] for key in seen[one.subject_id] if key in shown][: recommend.MOST]
        for one in recipients
        if one.subject_id in seen
    }
