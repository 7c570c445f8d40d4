"""What crm knows of a contact, for the timeline: orders, words about consent, changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.urls import NoReverseMatch, reverse

from crm.kernel.timeline import Cursor, Entry, Source, sources
from crm.models import ConsentEvent, ContactPoint, Order


@sources.register
class Orders(Source):
    """Orders, with what was paid and what became of them."""

    key = "crm.orders"
    label = "Orders"
    kinds = {"order": "Orders"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = self.below(Order.objects.filter(contact=contact_id), before).prefetch_related("lines")
        return [self._entry(order) for order in rows[:limit]]

    def _entry(self, order: Order) -> Entry:
        lines = [f"{line.quantity.normalize():f} × {line.name}" for line in order.lines.all()]
        shown = ", ".join(lines[:3]) + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")
        became = "" if order.status == Order.Status.PLACED else f" ({order.get_status_display()})"
        return Entry(
            at=order.occurred_at,
            source=self.key,
            key=str(order.pk),
            kind="order",
            title=f"Ordered for {order.total:,.2f} {order.currency}{became}",
            detail=shown,
            url=_page_of(order),
            icon="shopping_bag",
            data={"order_id": order.pk, "is_backfill": order.is_backfill},
        )


@sources.register
class Consent(Source):
    """What was said of being written to, address by address."""

    key = "crm.consent"
    label = "Consent"
    kinds = {"consent": "Consent"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        mine = ContactPoint.objects.filter(contact=contact_id).values("address_hash")
        rows = self.below(ConsentEvent.objects.filter(address_hash__in=mine), before)
        return [self._entry(event) for event in rows.select_related("purpose", "text", "detail")[:limit]]

    def _entry(self, event: ConsentEvent) -> Entry:
        about = event.purpose.name if event.purpose else "everything"
        detail = getattr(event, "detail", None)
        who = f", {detail.actor}" if detail and detail.actor else ""
        return Entry(
            at=event.occurred_at,
            source=self.key,
            key=str(event.pk),
            kind="consent",
            title=f"{event.get_action_display().capitalize()}: {about}",
            detail=f"{event.get_channel_display()}, from {event.source_kind}{who}"
            + (f": “{event.text.wording}”" if event.text else ""),
            icon="how_to_reg",
            data={"event_id": event.pk, "action": event.action},
        )


def _page_of(order: Order) -> str:
    try:
        return reverse("admin:crm_order_change", args=[order.pk])
    except NoReverseMatch:
        return ""
