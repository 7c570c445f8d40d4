"""What campaigns add to the page of a person, and of a product."""

from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.flows import handing
from campaigns.messages import recommend, recommending
from campaigns.messages.recommend import Wanted
from campaigns.models import Coupon, Delivery, DeliveryState, Enrolment, SurveyAnswer
from campaigns.surveys import counting
from crm.kernel.panels import Panel, ProductPanel, panels, product_panels


@panels.register
class NextDue(Panel):
    """What is about to be sent to the person and why, and the flows they are in."""

    key = "campaigns.next_due"
    label = "Coming next"
    place = 30
    template = "campaigns/next_panel.html"

    def rests_on(self, contact_id: Any) -> list[Any]:
        inside = Enrolment.objects.filter(contact_id=contact_id, state=Enrolment.State.ACTIVE)
        return [inside, Delivery.objects.filter(contact_id=contact_id, state=DeliveryState.QUEUED)]

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        inside, waiting = self.rests_on(contact_id)
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

    def rests_on(self, contact_id: Any) -> list[Any]:
        return [SurveyAnswer.objects.filter(contact_id=contact_id)]

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

    def rests_on(self, contact_id: Any) -> list[Any]:
        return [Coupon.objects.filter(contact_id=contact_id)]

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        [theirs] = self.rests_on(contact_id)
        found = list(theirs.select_related("offer").order_by("-reserved_at", "-id")[:10])
        return {"coupons": found} if found else None


@panels.register
class PutIn(Panel):
    """The flows that take people by hand now, to put this person into one."""

    key = "campaigns.put_in"
    label = "Put into a campaign"
    place = 32
    template = "campaigns/by_hand_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        campaigns = handing.open_campaigns()
        return {"campaigns": campaigns, "contact": contact_id} if campaigns else None


@panels.register
class WouldShow(Panel):
    """What a message would recommend to the person now, each with its reason, and what they looked at."""

    key = "campaigns.would_show"
    label = "What we would show"
    place = 60
    template = "campaigns/would_show_panel.html"
    later = True
    none = "Nothing yet: we know too little of what they like."

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        wanted = [Wanted(0, contact_id)]
        found = recommend.picks(wanted, recommend.SORTS, now, most=3)[0]
        if not any(found.values()):
            return None
        return {
            "sorts": [(recommend.LABELS[sort], picks) for sort, picks in found.items()],
            "viewed": recommend.looked_at(wanted, now, most=3)[0],
        }


class _GoesWith(ProductPanel):
    """Other products, the nearest first, with how often both were seen together."""

    sort = ""
    none = ""
    template = "campaigns/goes_with_panel.html"

    def show(self, product_id: UUID, now: datetime) -> dict[str, Any]:
        return {
            "products": recommend.goes_with(product_id, self.sort),
            "run": recommending.last_done(),
            "none": self.none,
        }


@product_panels.register
class Similar(_GoesWith):
    """What people look at together with this product."""

    key = "campaigns.similar"
    label = "Similar: looked at together"
    place = 10
    sort = "similar"
    none = "Nothing yet: nobody looked at it and something else in one visit more than once."


@product_panels.register
class Together(_GoesWith):
    """What people buy together with this product."""

    key = "campaigns.together"
    label = "Bought together"
    place = 20
    sort = "together"
    none = "Nothing yet: nobody bought it together with something else more than once."
