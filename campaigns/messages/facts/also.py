"""What joined a message: products of others that were due to the same person."""

from __future__ import annotations

from typing import Any

from campaigns.messages import goods, joining
from campaigns.messages.kinds import Asked, Fact, facts, is_tried


@facts.register
class Also(Fact):
    """Products of messages of other campaigns that were due to the same person and joined this one, since it
    goes first. A message that speaks of it has a place for them. Empty where nothing joined.
    """

    key = "campaigns.also"
    label = "What joined it"
    name = "also"
    shape = {"products": goods.SHAPES}

    def load(self, asked: Asked) -> dict[int, Any]:
        # A preview shows what waits; what leaves shows what was written down as joined.
        tried = {one.contact.pk for one in asked.recipients if is_tried(one)}
        waiting = joining.waiting(tried, asked.now) if tried else {}
        found = {}
        for one in asked.recipients:
            joined = one.delivery.joined if one.delivery else ()
            parts = waiting.get(one.contact.pk, ()) if is_tried(one) else joined
            for part in parts:
                one.shown.update(part.shown)
            found[one.key] = {"products": _once(product for part in parts for product in part.products)}
        return found


def _once(products: Any) -> list[dict[str, Any]]:
    """No product twice, where two messages bring the same."""
    return list({(one["name"], one["url"]): one for one in products}.values())
