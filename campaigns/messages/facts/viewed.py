"""What each person looked at lately and has not bought."""

from __future__ import annotations

from typing import Any

from campaigns.messages import goods, recommend
from campaigns.messages.facts.recommend import wanted
from campaigns.messages.kinds import Asked, Fact, facts


@facts.register
class Viewed(Fact):
    """The products this person looked at in the last thirty days and did not buy, the last one first; only
    what can be bought now. Empty for somebody who looked at nothing.
    """

    key = "campaigns.viewed"
    label = "Products viewed"
    name = "viewed"
    shape = {"products": goods.SHAPES}

    def load(self, asked: Asked) -> dict[int, Any]:
        found = recommend.looked_at(wanted(asked.recipients), asked.now)
        for one in asked.recipients:
            one.shown.update(goods.seen(found[one.key]))
        return {
            key: {"products": [goods.told(product, asked.shop) for product in products]}
            for key, products in found.items()
        }
