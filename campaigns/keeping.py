"""What we sent to people, gave them, decided about them, and asked them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.delivery.notices import SUBJECT
from campaigns.delivery.resting import ERASED, MERGED
from campaigns.flows import stopping
from campaigns.models import (
    Coupon,
    Decision,
    Delivery,
    DeliveryAttempt,
    Due,
    Enrolment,
    Joining,
    Letter,
    OfferSlot,
    OrderCredit,
    SurveyAnswer,
)
from crm.kernel.keeping import Kept, Person, keeping
from crm.models import Notice
from crm.people.merging import Ending, endings


@endings.register
class LeaveFlows(Ending):
    """Who is merged into another leaves every flow; what is queued of it does not leave."""

    key = "campaigns.leave_flows"
    label = "Flows"

    def end(self, contact_id: UUID, now: datetime) -> None:
        stopping.take_out(contact_id, now, reason=MERGED, words="They were merged into another person.")


@keeping.register
class Runs(Kept):
    """Runs through flows. They stay as numbers, so that results stay true."""

    key = "campaigns.enrolments"
    label = "Flows"
    place = 30
    model = Enrolment
    hidden = ("subject_id",)

    def erase(self, person: Person, now: datetime) -> int:
        for contact_id in person.ids:
            stopping.take_out(contact_id, now, reason=ERASED, words="They were erased.")
        return self.rows(person).count()


@keeping.register
class Dues(Kept):
    """When a run moves next: gone with the run."""

    key = "campaigns.dues"
    label = "Coming next"
    place = 31
    model = Due
    moves = False


@keeping.register
class Joinings(Kept):
    """What a run has to say in another message: gone with the run."""

    key = "campaigns.joinings"
    label = "May join a message"
    model = Joining
    moves = False


class WithoutWords(Kept):
    """Rows of messages: what was said goes, that it was sent stays."""

    moves = False
    by = ""

    def messages(self, person: Person) -> QuerySet[Delivery]:
        """Messages to them, made of them for a test, or to a colleague about them."""
        about = Notice.objects.filter(pk=OuterRef("subject_id"), contact_id__in=person.ids)
        told = Q(subject_kind=SUBJECT) & Exists(about)
        tried = Q(test_address__in=person.addresses)
        return Delivery.objects.filter(Q(contact_id__in=person.ids) | told | tried)


@keeping.register
class Answers(WithoutWords):
    """What a server said to a message: it may spell the address."""

    key = "campaigns.attempts"
    label = "Attempts to send"
    place = 99
    model = DeliveryAttempt
    leaves = {"response": ""}
    hidden = ("lease_token",)

    def rows(self, person: Person) -> QuerySet[DeliveryAttempt]:
        return DeliveryAttempt.objects.filter(delivery__in=self.messages(person))


@keeping.register
class Messages(WithoutWords):
    """Messages. Each stays as a number, without its words."""

    key = "campaigns.deliveries"
    label = "Messages"
    model = Delivery
    moves = True
    by = "contact_id"
    leaves = {
        "context": None,
        "test_address": "",
        "cart_token": "",
        "checkout_id": "",
        "provider_message_id": "",
    }
    hidden = ("dedupe_key", "lease_token", "lease_until", "claimed_by", "products_stamp")

    def rows(self, person: Person) -> QuerySet[Delivery]:
        return self.messages(person)


@keeping.register
class Letters(Kept):
    """What colleagues wrote to them. That they did stays, not what."""

    key = "campaigns.letters"
    label = "Letters of colleagues"
    model = Letter
    leaves = {"subject": "", "text": "", "reply_to": ""}


@keeping.register
class Decisions(Kept):
    """Why they did or did not get something. The verdict stays."""

    key = "campaigns.decisions"
    label = "Decisions"
    model = Decision
    leaves = {"evidence": {}, "words": ""}


@keeping.register
class Credits(Kept):
    """Which message an order is credited to."""

    key = "campaigns.credits"
    label = "Orders credited to messages"
    model = OrderCredit
    leaves = {}

    def erase(self, person: Person, now: datetime) -> int:
        return 0


@keeping.register
class Slots(Kept):
    """Which days had their offer."""

    key = "campaigns.slots"
    label = "Days with an offer"
    model = OfferSlot


@keeping.register
class Coupons(Kept):
    """Codes they were given. They stay, given to nobody."""

    key = "campaigns.coupons"
    label = "Coupons"
    model = Coupon
    leaves = {"contact_id": None}
    hidden = ("held_for", "version_seen", "orders_seen", "lease_seen")


@keeping.register
class SurveyAnswers(Kept):
    """What they answered. The counted answer stays, their own words go."""

    key = "campaigns.answers"
    label = "Answers"
    model = SurveyAnswer
    leaves = {"words": ""}
