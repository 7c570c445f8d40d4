"""What visits and carts add to a person's page, and to a colleague's day."""

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.kernel.panels import DayPanel, Panel, day_panels, panels
from crm.people import desk
from tracking.models import Cart
from tracking.visits import on_site


@panels.register
class OpenCart(Panel):
    """The carts the person has open now, with what is in them."""

    key = "tracking.open_cart"
    label = "Open cart"
    place = 20
    template = "tracking/cart_panel.html"

    def rests_on(self, contact_id: Any) -> list[Any]:
        return [Cart.objects.filter(contact_id=contact_id, state=Cart.State.OPEN, item_count__gt=0)]

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        [rows] = self.rests_on(contact_id)
        carts = list(rows.order_by("-opened_at").prefetch_related("lines")[:3])
        return {"carts": carts} if carts else None


@day_panels.register
class OnSite(DayPanel):
    """People the colleague looks after who are on the site now, and the last page they looked at."""

    key = "tracking.on_site"
    label = "On the site now"
    place = 15
    template = "crm/day_people.html"
    permission = "crm.view_contact"

    def show(self, user: Any, now: datetime) -> dict[str, Any] | None:
        visits = on_site.visits(now).filter(desk.looked_after_by(user, "contact"))
        people = [
            {"contact": visit.contact, "at": visit.ended_at, "did": on_site.place(visit)}
            for visit in visits.select_related("contact").order_by("-ended_at")[:8]
        ]
        return {"people": people} if people else None
