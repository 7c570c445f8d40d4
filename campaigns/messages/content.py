"""Which articles and guides to show to whom: by what they look at and buy, then the newest for everybody."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Func, TextField

from campaigns.models import ContentItem
from tracking.models import Event, EventKind

MOST = 3
READ_FOR = timedelta(days=180)
"""What was read before may be read again."""
PAGE = "rtrim(split_part(%(expressions)s, '?', 1), '/')"
CONSIDERED = 200
"""The newest so many are considered; what is older was news once."""


def published(now: datetime) -> list[ContentItem]:
    """What may be shown now, the newest first."""
    rows = ContentItem.objects.filter(is_active=True, published_at__lte=now)
    return list(rows.order_by("-published_at", "-pk")[:CONSIDERED])


def read_by(
    contact_ids: Collection[UUID], items: Sequence[ContentItem], now: datetime
) -> dict[UUID, set[str]]:
    """The addresses of those of these that each person has opened in the shop, in one query."""
    pages = Event.objects.filter(
        contact__in=contact_ids,
        kind=EventKind.PAGE,
        occurred_at__gt=now - READ_FOR,
        occurred_at__lte=now,
    ).annotate(page=Func(F("url"), template=PAGE, output_field=TextField()))
    found: dict[UUID, set[str]] = {}
    wanted = {_page(item.url) for item in items}
    for contact_id, page in pages.filter(page__in=wanted).values_list("contact_id", "page").distinct():
        found.setdefault(contact_id, set()).add(page)
    return found


def _page(url: str) -> str:
    """An address without what tells where one came from."""
    return url.partition("?")[0].partition("#")[0].rstrip("/")


def for_somebody(
    items: Sequence[ContentItem],
    cares: Mapping[str, float],
    most: int = MOST,
    *,
    read: Collection[str] = (),
) -> list[ContentItem]:
    """At most `most` of these for a person who cares for categories and brands (in small letters) so much and
    has `read` those pages.

    What is for somebody else is never shown; what is for everybody follows what is for them.
    """

    def meant(item: ContentItem) -> float | None:
        named = [str(name).lower() for name in (*item.categories, *item.brands)]
        if not named:
            return 0.0
        weights = [cares[name] for name in named if name in cares]
        return max(weights) if weights else None

    ranked = [(meant(item), item) for item in items if _page(item.url) not in read]
    fitting = [(weight, item) for weight, item in ranked if weight is not None]
    fitting.sort(key=lambda pair: -pair[0])  # stable: of the same weight, the newest first
    return [item for _weight, item in fitting[:most]]
