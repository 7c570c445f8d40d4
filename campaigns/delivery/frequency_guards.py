"""Quiet hours, frequency limits and the offers of a day, in the moment of sending. What decided when the
message was made is asked again: time has passed, and others have spoken.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from campaigns.delivery import quiet
from campaigns.delivery.guards import Guard, Verdict, guards
from campaigns.delivery.limits import LEFT, LONGEST_WAIT
from campaigns.models import ChannelLimit, Coupon, Delivery, FrequencySettings, OfferSlot
from crm.models import Channel, Engagement
from tracking.models import Cart

ANSWERS = ("cart", "visit")


@guards.register
class QuietHours(Guard):
    """It is night where they are: the message waits until the hours begin, and is late only counted from
    then. An e-mail that answers their own visit of a moment ago goes all the same.
    """

    key = "campaigns.quiet_hours"
    label = "Quiet hours"
    place = 67
    verdict = Verdict.REQUEUE
    reason = "quiet_hours"
    words = "Quiet hours where they are; it waits until they end"
    moves_due = True

    def blocks(self, now: datetime) -> Q:
        minutes = F("answers_minutes") * Value(timedelta(minutes=1))
        rules = FrequencySettings.objects.filter(pk=1)
        ago = ExpressionWrapper(Value(now, DateTimeField()) - minutes, DateTimeField())
        since = Subquery(rules.annotate(since=ago).values("since"))
        seen = Engagement.objects.filter(contact_id=OuterRef("contact_id"), last_seen_at__gte=since)
        changed = Cart.objects.filter(
            id=OuterRef("subject_id"), contact_id=OuterRef("contact_id"), changed_at__gte=since
        )
        answers = Q(channel=Channel.EMAIL, subject_kind__in=ANSWERS) & (
            Q(Exists(seen)) | Q(subject_kind="cart") & Q(Exists(changed))
        )
        return quiet.is_quiet(now) & ~answers

    def again_at(self, now: datetime) -> Combinable:
        return quiet.opening(now)


@guards.register
class Full(Guard):
    """Other messages left in the meantime, and one more would be too many: it waits until it fits."""

    key = "campaigns.frequency"
    label = "Frequency limits"
    place = 68
    verdict = Verdict.REQUEUE
    reason = "frequency"
    words = (
        "Other messages left in the meantime, and one more is too many; it waits until the limits allow it"
    )

    def blocks(self, now: datetime) -> Q:
        return Q(counts=True, passes_limits=False) & Q(Exists(_full(now)))

    def again_at(self, now: datetime) -> Combinable:
        free = ExpressionWrapper(F("first") + F("within"), DateTimeField())
        last = _full(now).order_by().values("channel").annotate(free=Max(free)).values("free")
        return Coalesce(Subquery(last, DateTimeField()), Value(now, DateTimeField()))


@guards.register
class OfferOfAnotherDay(Guard):
    """The day whose offer it is has ended where they are. The message is made anew: with the offer of the new
    day, if that is free, without it, or not at all.
    """

    key = "campaigns.offer_day"
    label = "Offer of another day"
    place = 82
    verdict = Verdict.REQUEUE
    reason = "offer_day"
    words = "The day for which it had an offer is over"
    tells = False

    def blocks(self, now: datetime) -> Q:
        # Asked before a message is made anew as well: then it holds nothing yet under this lease.
        held = Coupon.objects.filter(held_for=OuterRef("public_id"), lease_seen=OuterRef("lease_token"))
        today = OfferSlot.objects.filter(
            contact_id=OuterRef("contact_id"),
            held_for=OuterRef("public_id"),
            begins_at__lte=now,
            ends_at__gt=now,
        )
        return Q(offer__isnull=False) & Q(Exists(held)) & ~Q(Exists(today))


def _full(now: datetime) -> QuerySet[ChannelLimit]:
    """The limits that one more message like the delivery asked about would break, each with when the `first`
    message within it left.
    """
    moment = Value(now, DateTimeField())
    left = ExpressionWrapper(moment - OuterRef("within"), DateTimeField())
    made = ExpressionWrapper(moment - OuterRef("within") - Value(LONGEST_WAIT), DateTimeField())
    others = Delivery.objects.filter(
        ~Q(pk=OuterRef(OuterRef("pk"))),
        contact_id=OuterRef(OuterRef("contact_id")),
        channel=OuterRef("channel"),
        purpose_id=Coalesce(OuterRef("purpose_id"), F("purpose_id")),
        counts=True,
        state__in=LEFT,
        created_at__gt=made,
        fenced_at__gt=left,
    )
    said = others.order_by().values("channel")
    limits = ChannelLimit.objects.filter(
        Q(purpose=None) | Q(purpose=OuterRef("purpose_id")), channel=OuterRef("channel")
    )
    number = Subquery(said.annotate(number=Count("pk")).values("number"))
    first = Subquery(said.annotate(first=Min("fenced_at")).values("first"))
    return limits.alias(number=Coalesce(number, 0)).annotate(first=first).filter(number__gte=F("at_most"))
