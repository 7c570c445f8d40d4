"""What crm knows of a contact, for the timeline: orders, words about consent, changes."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.urls import NoReverseMatch, reverse

from crm.kernel.timeline import Rows, Told, sources
from crm.models import ConsentEvent, ContactPoint, Order, OrderLine


@sources.register
class Orders(Rows):
    """Orders, with what was paid and what became of them."""

    key = "crm.orders"
    label = "Orders"
    kinds = {"order": "Orders"}
    searched = ("total", "currency", "status", "number", Value("Ordered for"))
    icon = "shopping_bag"

    def rows(self, contact_id: Any) -> QuerySet[Order]:
        return Order.objects.filter(contact=contact_id).prefetch_related("lines")

    def also(self, word: str) -> Q:
        return Q(Exists(OrderLine.objects.filter(order=OuterRef("pk"), name__icontains=word)))

    def tell(self, row: Order) -> Told:
        lines = [f"{line.quantity.normalize():f} × {line.name}" for line in row.lines.all()]
        shown = ", ".join(lines[:3]) + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")
        became = "" if row.status == Order.Status.PLACED else f" ({row.get_status_display()})"
        return Told(
            f"Ordered for {row.total:,.2f} {row.currency}{became}",
            [shown],
            url=_page_of(row),
            data={"order_id": row.pk, "is_backfill": row.is_backfill},
        )


@sources.register
class Consent(Rows):
    """What was said of being written to, address by address."""

    key = "crm.consent"
    label = "Consent"
    kinds = {"consent": "Consent"}
    searched = (
        "action",
        "channel",
        "purpose__name",
        "source_kind",
        "detail__actor",
        "text__wording",
        Value("everything from"),
    )
    icon = "how_to_reg"

    def rows(self, contact_id: Any) -> QuerySet[ConsentEvent]:
        mine = ContactPoint.objects.filter(contact=contact_id).values("address_hash")
        said = ConsentEvent.objects.filter(address_hash__in=mine)
        return said.select_related("purpose", "text", "detail")

    def tell(self, row: ConsentEvent) -> Told:
        about = row.purpose.name if row.purpose else "everything"
        detail = getattr(row, "detail", None)
        who = f", {detail.actor}" if detail and detail.actor else ""
        wording = f": “{row.text.wording}”" if row.text else ""
        return Told(
            f"{row.get_action_display().capitalize()}: {about}",
            [f"{row.get_channel_display()}, from {row.source_kind}{who}{wording}"],
            data={"event_id": row.pk, "action": row.action},
        )


def _page_of(order: Order) -> str:
    try:
        return reverse("admin:crm_order_change", args=[order.pk])
    except NoReverseMatch:
        return ""
