"""What to recommend to each person: similar, bought together, bought most, new, best sellers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from campaigns.messages import goods, recommend
from campaigns.messages.kinds import Asked, Fact, Recipient, facts
from campaigns.messages.recommend import Wanted


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
    on best sellers and is empty only where the shop has nothing to sell.
    """

    key = "campaigns.recommend"
    label = "Recommendations"
    name = "recommend"
    shape = dict.fromkeys(recommend.SORTS, goods.SHAPES)

    def load(self, asked: Asked) -> dict[int, Any]:
        names = [sort for sort in recommend.SORTS if asked.wants(sort)]
        found = recommend.picks(wanted(asked.recipients), names, asked.now)
        told: dict[int, Any] = {}
        for one in asked.recipients:
            picked = found[one.key]
            told[one.key] = {
                sort: [goods.told(pick.product, asked.shop) for pick in picked.get(sort, ())]
                for sort in recommend.SORTS
            }
            for picks in picked.values():
                one.shown.update(goods.seen(pick.product for pick in picks))
        return told
