"""Which articles and guides to show to whom: by what they look at and buy, then the newest for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from campaigns.models import ContentItem

MOST = 3
CONSIDERED = 200
"""The newest so many are considered; what is older was news once."""


def published(now: datetime) -> list[ContentItem]:
    """What may be shown now, the newest first."""
    rows = ContentItem.objects.filter(is_active=True, published_at__lte=now)
    return list(rows.order_by("-published_at", "-pk")[:CONSIDERED])


def for_somebody(
    items: Sequence[ContentItem], cares: Mapping[str, float], most: int = MOST
) -> list[ContentItem]:
    """At most `most` of these for a person who cares for categories and brands (in small letters) so much.

    What is for somebody else is never shown; what is for everybody follows what is for them.
    """

    def meant(item: ContentItem) -> float | None:
        named = [str(name).lower() for name in (*item.categories, *item.brands)]
        if not named:
            return 0.0
        weights = [cares[name] for name in named if name in cares]
        return max(weights) if weights else None

    ranked = [(meant(item), item) for item in items]
    fitting = [(weight, item) for weight, item in ranked if weight is not None]
    fitting.sort(key=lambda pair: -pair[0])  # stable: of the same weight, the newest first
    return [item for _weight, item in fitting[:most]]
