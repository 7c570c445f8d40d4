"""What people did, for the timeline: their acts on the site, what they did with messages, and their carts."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse

from crm.kernel.timeline import Cursor, Entry, Rows, Source, Told, sources
from tracking.models import Actor, Cart, Event, EventKind

_CHIPS = {
    "visit": (
        EventKind.PAGE,
        EventKind.PRODUCT,
        EventKind.FAVOURITE,
        EventKind.SEARCH,
        EventKind.IDENTIFY,
        EventKind.CUSTOM,
    ),
    "cart": (EventKind.CART, EventKind.CHECKOUT, EventKind.RESTORE),
    "mail": (EventKind.OPEN, EventKind.CLICK, EventKind.LANDING, EventKind.REPLY),
}
_CHIP_OF: dict[str, str] = {kind.value: chip for chip, kinds in _CHIPS.items() for kind in kinds}
_ICONS = {"visit": "visibility", "cart": "shopping_cart", "mail": "mail"}


@sources.register
class Events(Source):
    """Acts on the site and in messages, one by one."""

    key = "tracking.events"
    label = "Activity"
    kinds = {"visit": "Visits", "cart": "Cart changes", "mail": "Opens and clicks"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = Event.objects.filter(contact=contact_id)
        if kinds is not None:
            rows = rows.filter(kind__in=[kind for kind, chip in _CHIP_OF.items() if chip in kinds])
        return [self._entry(event) for event in self.below(rows, before)[:limit]]

    def _entry(self, event: Event) -> Entry:
        chip = _CHIP_OF.get(event.kind, "visit")
        return Entry(
            at=event.occurred_at,
            source=self.key,
            key=str(event.pk),
            kind=chip,
            title=_title(event),
            detail=_detail(event),
            icon=_ICONS[chip],
            data={"kind": event.kind, "actor": event.actor, "ref": event.ref, "url": event.url},
        )


@sources.register
class Carts(Rows):
    """Carts, each at the moment it was begun, with what became of it."""

    key = "tracking.carts"
    label = "Carts"
    kinds = {"episode": "Carts"}
    at = "opened_at"
    icon = "shopping_cart"

    def rows(self, contact_id: Any) -> QuerySet[Cart]:
        return Cart.objects.filter(contact=contact_id).prefetch_related("lines")

    def tell(self, row: Cart) -> Told:
        lines = [f"{line.quantity.normalize():f} × {line.name}" for line in row.lines.all()]
        shown = ", ".join(lines[:3]) + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")
        became = row.get_state_display() + (", brought back from a message" if row.restored_at else "")
        return Told(
            f"Began a cart for {row.total:,.2f} {row.currency} ({became})",
            [shown],
            url=_page_of(row),
            data={"cart_id": row.pk, "state": row.state},
        )


def _title(event: Event) -> str:
    told = event.props
    if event.kind in (EventKind.PRODUCT, EventKind.FAVOURITE) and (name := told.get("name")):
        return f"{'Looked at' if event.kind == EventKind.PRODUCT else 'Saved'} {name}"
    if event.kind == EventKind.PAGE and (title := told.get("title")):
        return f"Looked at the page “{title}”"
    if event.kind == EventKind.SEARCH and (query := told.get("query")):
        return f"Searched for “{query}”"
    if event.kind == EventKind.CUSTOM and (name := told.get("event")):
        return f"Did “{name}”"
    return event.get_kind_display().capitalize()


def _detail(event: Event) -> str:
    who = "" if event.actor == Actor.HUMAN else event.get_actor_display()
    return ", ".join(part for part in (who, event.url) if part)


def _page_of(cart: Cart) -> str:
    try:
        return reverse("admin:tracking_cart_change", args=[cart.pk])
    except NoReverseMatch:
        return ""
