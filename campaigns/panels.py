"""What campaigns add to a person's page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.models import Coupon, Delivery, DeliveryState, Enrolment
from campaigns.surveys import counting
from crm.kernel.panels import Panel, panels


@panels.register
class NextDue(Panel):
    """What is about to be sent to the person and why, and the flows they are in."""

    key = "campaigns.next_due"
    label = "Coming next"
    place = 30
    template = "campaigns/next_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        inside = Enrolment.objects.filter(contact_id=contact_id, state=Enrolment.State.ACTIVE)
        waiting = Delivery.objects.filter(contact_id=contact_id, state=DeliveryState.QUEUED)
        found = {
            "inside": list(inside.select_related("campaign").order_by("-entered_at")[:10]),
            "waiting": list(
                waiting.select_related("template", "campaign").defer("context").order_by("-created_at")[:10]
            ),
        }
        return found if any(found.values()) else None


@panels.register
class Answered(Panel):
    """What the person answered to our surveys, the latest first."""

    key = "campaigns.answers"
    label = "Answers"
    place = 40
    template = "campaigns/answers_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        found = counting.of_contact(contact_id, limit=5)
        return {"answers": found} if found else None


@panels.register
class Coupons(Panel):
    """The person's coupons: of which offer, by which code, and what became of each."""

    key = "campaigns.coupons"
    label = "Coupons"
    place = 35
    template = "campaigns/coupons_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        theirs = Coupon.objects.filter(contact_id=contact_id).select_related("offer")
        found = list(theirs.order_by("-reserved_at", "-id")[:10])
        return {"coupons": found} if found else None
