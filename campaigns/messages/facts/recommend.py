"""What to recommend to each person: similar, bought together, bought most, new, best sellers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from campaigns.messages import goods, recommend
from campaigns.messages.kinds import Asked, Fact, Recipient, facts
from campaigns.messages.recommend import Pick, Wanted

HEADS = 4
"""So many products a block shows as it comes."""


def wanted(recipients: Sequence[Recipient]) -> list[Wanted]:
    """Whom to recommend to, seeded by the cart where the message is about one."""
    return [
        Wanted(one.key, one.contact.pk, one.subject_id if one.subject_kind == "cart" else None)
        for one in recipients
    ]


@facts.register
class Recommend(Fact):
    """Products this person is likely to want: similar to what they looked at, bought together with what they
    have, what they buy most, what is new in their brands and categories, best sellers. Each list falls back
    on best sellers and is empty only where the shop has nothing to sell. Of several lists in one message none
    repeats what heads another.
    """

    key = "campaigns.recommend"
    label = "Recommendations"
    name = "recommend"
    shape = dict.fromkeys(recommend.SORTS, goods.SHAPES)

    def load(self, asked: Asked) -> dict[int, Any]:
        names = [sort for sort in recommend.SORTS if asked.wants(sort)]
        most = recommend.MOST + HEADS * max(len(names) - 1, 0)
        found = recommend.picks(wanted(asked.recipients), names, asked.now, most)
        told: dict[int, Any] = {}
        for one in asked.recipients:
            picked = _once(found[one.key], one.shown)
            told[one.key] = {
                sort: [goods.told(pick.product, asked.shop) for pick in picked.get(sort, ())]
                for sort in recommend.SORTS
            }
            for picks in picked.values():
                one.shown.update(goods.seen(pick.product for pick in picks))
        return told

    def goods(self, told: Any) -> dict[str, Any]:
        return {f"recommend.{sort}": told[sort] for sort in recommend.SORTS}


def _once(picked: Mapping[str, Sequence[Pick]], before: Collection[UUID]) -> dict[str, list[Pick]]:
    """Each list without what the message shows before it (what joined it, the product it is about) and what
    heads an earlier one, as far as something is left. Best sellers, which are the same for all, come last.
    """
    shown = set(before)
    found: dict[str, list[Pick]] = {}
    for sort in recommend.SORTS:
        picks = list(picked.get(sort, ()))
        left = [pick for pick in picks if pick.product.pk not in shown]
        found[sort] = (left or picks)[: recommend.MOST]
        shown |= {pick.product.pk for pick in found[sort][:HEADS]}
    return found
