"""What visits and carts add to a person's page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.kernel.panels import Panel, panels
from tracking.models import Cart


@panels.register
class OpenCart(Panel):
    """The carts the person has open now, with what is in them."""

    key = "tracking.open_cart"
    label = "Open cart"
    place = 20
    template = "tracking/cart_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        rows = Cart.objects.filter(contact_id=contact_id, state=Cart.State.OPEN, item_count__gt=0)
        carts = list(rows.order_by("-opened_at").prefetch_related("lines")[:3])
        return {"carts": carts} if carts else None
