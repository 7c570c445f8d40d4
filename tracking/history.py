"""What people did, for the timeline: their acts on the site, what they did with messages, and their carts."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KT
from django.urls import NoReverseMatch, reverse

from crm.kernel.timeline import Cursor, Entry, Rows, Search, Source, Told, sources
from tracking.models import Actor, Cart, CartLine, Event, EventKind, Visit

_CHIPS = {
    "page": (EventKind.PAGE, EventKind.PRODUCT),
    "act": (EventKind.FAVOURITE, EventKind.SEARCH, EventKind.IDENTIFY, EventKind.CUSTOM),
    "cart": (EventKind.CART, EventKind.CHECKOUT, EventKind.RESTORE),
    "mail": (EventKind.OPEN, EventKind.CLICK, EventKind.LANDING, EventKind.REPLY),
}
_CHIP_OF: dict[str, str] = {kind.value: chip for chip, kinds in _CHIPS.items() for kind in kinds}
_ICONS = {"page": "visibility", "act": "touch_app", "cart": "shopping_cart", "mail": "mail"}
_FOLDED = "page"
"""Told one by one only where somebody asks for them: a visit says them in one row."""


@sources.register
class Events(Source):
    """Acts on the site and in messages, one by one; pages only where they are asked or searched for."""

    key = "tracking.events"
    label = "Activity"
    usual = True
    kinds = {
        "page": "Every page",
        "act": "Searches and other acts",
        "cart": "Cart changes",
        "mail": "Opens and clicks",
    }
    searched = (
        "kind",
        "actor",
        "url",
        KT("props__name"),
        KT("props__title"),
        KT("props__query"),
        KT("props__event"),
        Value("Looked at the page Saved Searched for Did"),
    )

    def every(self, contact_id: Any) -> QuerySet[Event]:
        return Event.objects.filter(contact=contact_id)

    def page(
        self,
        contact_id: Any,
        before: Cursor | None,
        limit: int,
        kinds: Collection[str] | None = None,
        search: Search | None = None,
    ) -> Sequence[Entry]:
        rows = self.every(contact_id)
        if kinds is None and search is None:
            # A page of visits reaches back this far, so nothing older can be among the newest; of somebody
            # with many pages and little else, the history would be read to its end for nothing.
            visits = self.below(Visit.objects.filter(contact=contact_id), before, at="started_at")
            reach = visits.values_list("started_at", flat=True)[limit - 1 : limit].first()
            if reach is not None:
                rows = rows.filter(occurred_at__gte=reach)
        chosen = set(_CHIPS) - ({_FOLDED} if search is None else set()) if kinds is None else kinds
        rows = rows.filter(kind__in=[kind for kind, chip in _CHIP_OF.items() if chip in chosen])
        return [self._entry(event) for event in self.finding(self.below(rows, before), search)[:limit]]

    def _entry(self, event: Event) -> Entry:
        chip = _CHIP_OF.get(event.kind, "act")
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
class Visits(Rows):
    """Visits, each as one row: how much they looked at, where they came from, where they left."""

    key = "tracking.visits"
    label = "Visits"
    usual = True
    kinds = {"visit": "Visits"}
    searched = (
        "source",
        "referrer",
        "exit_url",
        Value("Looked at products pages in minutes Was on the site came from by an advertisement left"),
    )
    at = "started_at"
    icon = "visibility"
    between = ", "

    def rows(self, contact_id: Any) -> QuerySet[Visit]:
        return Visit.objects.filter(contact=contact_id)

    def tell(self, row: Visit) -> Told:
        came = row.source or row.referrer
        return Told(
            f"{_looked(row)}{_lasted(row.seconds)}",
            [
                f"came from {came}{' by an advertisement' if row.is_ad else ''}" if came else "",
                f"left at {_path(row.exit_url)}" if row.exit_url else "",
            ],
            url=_pages_of(row),
            data={"visit_id": row.pk, "pages": row.pages, "products": row.products},
        )


@sources.register
class Carts(Rows):
    """Carts, each at the moment it was begun, with what became of it."""

    key = "tracking.carts"
    label = "Carts"
    kinds = {"episode": "Carts"}
    searched = ("total", "currency", "state", Value("Began a cart for brought back from a message"))
    at = "opened_at"
    icon = "shopping_cart"

    def rows(self, contact_id: Any) -> QuerySet[Cart]:
        return Cart.objects.filter(contact=contact_id).prefetch_related("lines")

    def also(self, word: str) -> Q:
        return Q(Exists(CartLine.objects.filter(cart=OuterRef("pk"), name__icontains=word)))

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


def _looked(visit: Visit) -> str:
    number, what = (visit.products, "product") if visit.products else (visit.pages, "page")
    return f"Looked at {number} {what}{'' if number == 1 else 's'}" if number else "Was on the site"


def _lasted(seconds: int) -> str:
    if seconds < 60:
        return ""
    minutes = round(seconds / 60)
    return f" in {minutes} minute{'' if minutes == 1 else 's'}"


def _path(url: str) -> str:
    return urlsplit(url).path or "/"


def _pages_of(visit: Visit) -> str:
    """The timeline of every page, from the end of this visit on."""
    try:
        where = reverse("admin:crm_contact_change", args=[visit.contact_id])
    except NoReverseMatch:
        return ""
    after = Cursor(visit.ended_at + timedelta(milliseconds=1), Events.key, "-")
    return f"{where}?{urlencode({'kind': _FOLDED, 'before': str(after)})}"


def _page_of(cart: Cart) -> str:
    try:
        return reverse("admin:tracking_cart_change", args=[cart.pk])
    except NoReverseMatch:
        return ""
