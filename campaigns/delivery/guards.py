"""Every reason not to send, each with one meaning: the fence excludes it, and *why* asks for the same.

Guards are asked in `place` order; the first that blocks gives the reason.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

from campaigns.models import Campaign, Delivery, SendingControl
from crm.kernel.kinds import Kind, Registry
from crm.models import ContactPoint, Engagement, Order
from crm.people import consent
from tracking.models import Cart, InboundEvent, Visitor

RESERVED = r"@([^@]+\.)?(example(\.(com|net|org))?|test|invalid|localhost)$"


class Verdict(StrEnum):
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    REQUEUE = "requeue"
    HOLD = "hold"


class Guard(Kind):
    """A reason not to send. `now` is filled in when the fence is asked; do no arithmetic on it."""

    place = 0
    verdict = Verdict.SKIPPED
    reason = ""
    words = ""
    stops_ours = False  # whether it holds for what goes to ourselves: tests, notices to colleagues
    stops_calls = False  # whether it holds for calls of other systems, which write to nobody
    stops_joined = False  # whether it keeps out what would join a message; asks only what `Joining` has, too
    tells = True  # leaves a decision on the person's page
    moves_due = False  # a requeue moves the moment it should leave, and its expiry

    def applies(self) -> bool:
        return True

    def blocks(self, now: datetime) -> Q:
        """The deliveries it blocks at `now`."""
        raise NotImplementedError

    def reason_of(self) -> Combinable:
        """The reason's code, where it depends on the delivery."""
        return Value(self.reason)

    def again_at(self, now: datetime) -> Combinable:
        """When it is worth asking again; for the verdict *requeue*."""
        return Value(now, DateTimeField())

    def say(self, reason: str) -> str:
        """The reason as a person reads it."""
        return self.words

    def tell(self, deliveries: Sequence[Delivery], now: datetime) -> dict[int, str]:
        """More than `say` has for some of the deliveries it blocked, by their id, in a fixed number of
        queries.
        """
        return {}


guards = Registry(Guard)


def in_order() -> list[Guard]:
    return sorted((guard for guard in guards if guard.applies()), key=lambda guard: guard.place)


def _later(now: datetime, by: timedelta) -> Combinable:
    return ExpressionWrapper(Value(now, DateTimeField()) + Value(by), DateTimeField())


@guards.register
class Held(Guard):
    """All sending is held, or this one message is."""

    key = "campaigns.held"
    label = "Sending is held"
    place = 10
    verdict = Verdict.HOLD
    reason = "held"
    words = "All sending is held"
    stops_ours = True
    tells = False
    stops_calls = True

    def blocks(self, now: datetime) -> Q:
        return Q(is_held=True) | Q(Exists(SendingControl.objects.filter(sending_hold=True)))


@guards.register
class Stopped(Guard):
    """The campaign was stopped for good."""

    key = "campaigns.stopped"
    label = "Campaign stopped"
    place = 20
    verdict = Verdict.SUPPRESSED
    reason = "campaign_stopped"
    words = "The campaign was stopped"
    stops_calls = True
    stops_joined = True

    def blocks(self, now: datetime) -> Q:
        stopped = Campaign.objects.filter(pk=OuterRef("campaign_id"), state=Campaign.State.STOPPED)
        return Q(Exists(stopped))


@guards.register
class Waiting(Guard):
    """The campaign is paused; its messages stay in the queue until it runs or they are late."""

    key = "campaigns.paused"
    label = "Campaign paused"
    place = 25
    verdict = Verdict.REQUEUE
    reason = "campaign_paused"
    words = "The campaign is paused"
    tells = False
    stops_calls = True
    stops_joined = True

    def blocks(self, now: datetime) -> Q:
        waiting = Campaign.objects.filter(pk=OuterRef("campaign_id")).exclude(
            state__in=[Campaign.State.RUNNING, Campaign.State.STOPPED]
        )
        # A late message is skipped even while it waits, so that nothing waits for ever.
        return Q(Exists(waiting)) & (Q(not_after__isnull=True) | Q(not_after__gt=now))

    def again_at(self, now: datetime) -> Combinable:
        return _later(now, timedelta(seconds=60))


@guards.register
class Late(Guard):
    """Its time has passed: said now, it would only puzzle."""

    key = "campaigns.late"
    label = "Too late"
    place = 30
    reason = "late"
    words = "Too late: it could not leave within the time it is good for"
    stops_calls = True
    stops_joined = True

    def blocks(self, now: datetime) -> Q:
        return Q(not_after__lte=now)


@guards.register
class Reserved(Guard):
    """Invented addresses (example.com, .test, .invalid, localhost) are written to only in a test inbox."""

    key = "campaigns.reserved"
    label = "Invented address"
    place = 35
    reason = "reserved_address"
    words = "The address is an invented one, such as example.com; mail to it only goes into a test inbox"
    stops_ours = True

    def applies(self) -> bool:
        return not settings.REKINDLE_SAFE_SINK

    def blocks(self, now: datetime) -> Q:
        points = ContactPoint.objects.filter(
            address_hash=OuterRef("address_hash"), channel=OuterRef("channel"), address__iregex=RESERVED
        )
        return Q(test_address__iregex=RESERVED) | Q(test_address="") & Q(Exists(points))


@guards.register
class NotAllowed(Guard):
    """Suppressed, withdrawn, or never consented: the one answer of crm.people.consent."""

    key = "campaigns.not_allowed"
    label = "No consent, or suppressed"
    place = 40
    verdict = Verdict.SUPPRESSED
    reason = "no_consent"
    words = "They may not be written to"
    stops_joined = True

    def blocks(self, now: datetime) -> Q:
        return ~Q(consent.allowed("address_hash", "channel", "purpose_id"))

    def reason_of(self) -> Combinable:
        return consent.refusal_reason("address_hash", "channel", "purpose_id")

    def say(self, reason: str) -> str:
        return f"Not allowed: {consent.REASONS.get(reason, reason)}"


@guards.register
class Purchased(Guard):
    """They bought since the cart was opened: matched on person, address, cart and checkout."""

    key = "campaigns.purchased"
    label = "They bought"
    place = 50
    verdict = Verdict.SUPPRESSED
    reason = "purchased"
    words = "They bought in the meantime"
    stops_calls = True
    stops_joined = True

    def blocks(self, now: datetime) -> Q:
        orders = Order.objects.exclude(status=Order.Status.CANCELLED).filter(
            occurred_at__gte=OuterRef("since")
        )
        bought = Cart.objects.filter(
            id=OuterRef("subject_id"), contact_id=OuterRef("contact_id"), state=Cart.State.BOUGHT
        )
        return Q(since__isnull=False) & (
            Q(Exists(orders.filter(contact_id=OuterRef("contact_id"))))
            | Q(Exists(orders.filter(address_hash=OuterRef("address_hash"))))
            | ~Q(cart_token="")
            & Q(Exists(orders.exclude(cart_token="").filter(cart_token=OuterRef("cart_token"))))
            | ~Q(checkout_id="")
            & Q(Exists(orders.exclude(checkout_id="").filter(checkout_id=OuterRef("checkout_id"))))
            | Q(subject_kind="cart") & Q(Exists(bought))
        )


@guards.register
class MaybePurchased(Guard):
    """An order that nobody has read yet may be theirs: wait for it to be read."""

    key = "campaigns.maybe_purchased"
    label = "An order of theirs is being read"
    place = 55
    verdict = Verdict.REQUEUE
    reason = "order_unread"
    words = "An order of theirs is just coming in"
    tells = False
    stops_calls = True
    stops_joined = True

    def blocks(self, now: datetime) -> Q:
        unread = InboundEvent.objects.filter(state=InboundEvent.State.NEW, has_order=True)
        theirs = Visitor.objects.filter(contact_id=OuterRef(OuterRef("contact_id"))).values("id")
        return Q(since__isnull=False) & (
            ~Q(cart_token="") & Q(Exists(unread.filter(cart_token=OuterRef("cart_token"))))
            | Q(Exists(unread.filter(address_hash=OuterRef("address_hash"))))
            | Q(Exists(unread.filter(visitor_id__in=theirs)))
        )

    def again_at(self, now: datetime) -> Combinable:
        return _later(now, timedelta(seconds=2))


def _their_cart() -> Any:
    return Cart.objects.filter(id=OuterRef("subject_id"), contact_id=OuterRef("contact_id"))


@guards.register
class Emptied(Guard):
    """The cart is gone, or nothing with a price is left in it."""

    key = "campaigns.cart_emptied"
    label = "Cart emptied"
    place = 60
    reason = "cart_emptied"
    words = "They emptied the cart"
    stops_calls = True
    stops_joined = True

    def blocks(self, now: datetime) -> Q:
        full = _their_cart().filter(state=Cart.State.OPEN, has_priced_line=True)
        return Q(subject_kind="cart") & ~Q(Exists(full))


@guards.register
class CameBack(Guard):
    """They are in the shop again: the message waits until they have been away as long as it asks."""

    key = "campaigns.came_back"
    label = "They came back"
    place = 70
    verdict = Verdict.REQUEUE
    reason = "came_back"
    words = "They came back to the shop; the message waits until they leave again"
    moves_due = True

    def blocks(self, now: datetime) -> Q:
        since = ExpressionWrapper(Value(now, DateTimeField()) - OuterRef("idle_for"), DateTimeField())
        seen = Engagement.objects.filter(contact_id=OuterRef("contact_id"), last_seen_at__gt=since)
        changed = _their_cart().filter(changed_at__gt=since)
        return Q(idle_for__isnull=False) & (Q(Exists(seen)) | Q(subject_kind="cart") & Q(Exists(changed)))

    def again_at(self, now: datetime) -> Combinable:
        seen = Engagement.objects.filter(contact_id=OuterRef("contact_id")).values("last_seen_at")
        changed = Case(When(subject_kind="cart", then=Subquery(_their_cart().values("changed_at"))))
        last = Greatest(Subquery(seen), changed, output_field=DateTimeField())
        return Coalesce(ExpressionWrapper(last + F("idle_for"), DateTimeField()), Value(now, DateTimeField()))


@guards.register
class Changed(Guard):
    """The cart is not the one in the text any more: the message is made anew."""

    key = "campaigns.cart_changed"
    label = "Cart changed"
    place = 75
    verdict = Verdict.REQUEUE
    reason = "cart_changed"
    words = "The cart changed after the message was made"
    tells = False

    def blocks(self, now: datetime) -> Q:
        same = _their_cart().filter(changed_at=OuterRef("subject_version"))
        return Q(subject_kind="cart", subject_version__isnull=False) & ~Q(Exists(same))
