"""Quiet hours, frequency limits and the offers of a day, in the moment of sending. What decided when the
message was made is asked again: time has passed, and others have spoken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

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
from campaigns.delivery.limits import LEFT, LONGEST_WAIT, Said, full, said_lately
from campaigns.models import Campaign, ChannelLimit, Coupon, Delivery, FrequencySettings, OfferSlot
from crm.models import Channel, Contact, Engagement
from crm.people.local_time import zones_of
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
        # What passes the limits was asked for, or is the first about a cart.
        answers = (
            Q(channel=Channel.EMAIL)
            & (Q(subject_kind__in=ANSWERS) | Q(passes_limits=True))
            & (Q(Exists(seen)) | Q(subject_kind="cart") & Q(Exists(changed)))
        )
        return quiet.is_quiet(now) & ~answers

    def again_at(self, now: datetime) -> Combinable:
        return quiet.opening(now)


@guards.register
class Full(Guard):
    """Other messages left in the meantime, and one more would be too many: it waits until it fits."""

    key = "campaigns.frequency"
    label = "Frequency limits"
    place = 69
    verdict = Verdict.REQUEUE
    reason = "frequency"
    words = (
        "Other messages left in the meantime, and one more is too many; it waits until the limits allow it"
    )

    def blocks(self, now: datetime) -> Q:
        return Q(counts=True, passes_limits=False) & Q(Exists(_full(now)))

    def tell(self, deliveries: Sequence[Delivery], now: datetime) -> dict[int, str]:
        return {
            pk: f"{words}. It waits until {_local(free_at, zone)}."
            for pk, words, free_at, zone in _why(deliveries, now)
        }

    def again_at(self, now: datetime) -> Combinable:
        free = ExpressionWrapper(F("first") + F("within"), DateTimeField())
        last = _full(now).order_by().values("channel").annotate(free=Max(free)).values("free")
        return Coalesce(Subquery(last, DateTimeField()), Value(now, DateTimeField()))


@guards.register
class FullAndDropped(Full):
    """The same for a campaign that drops what has to wait."""

    key = "campaigns.frequency_dropped"
    label = "Frequency limits, dropped"
    place = 68
    verdict = Verdict.SKIPPED
    words = (
        "Other messages left in the meantime, and one more is too many; this campaign drops what has to wait"
    )

    def blocks(self, now: datetime) -> Q:
        drops = Campaign.objects.filter(pk=OuterRef("campaign_id"), when_beaten=Campaign.WhenBeaten.DROP)
        # The look at the campaign is the cheaper one: it comes first.
        return Q(counts=True, passes_limits=False) & Q(Exists(drops)) & Q(Exists(_full(now)))

    def tell(self, deliveries: Sequence[Delivery], now: datetime) -> dict[int, str]:
        told = _why(deliveries, now)
        return {pk: f"{words}. This campaign drops what has to wait." for pk, words, *_ in told}


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


def _why(deliveries: Sequence[Delivery], now: datetime) -> Iterator[tuple[int, str, datetime, ZoneInfo]]:
    """Of each delivery that a full limit blocks: which limit, how full, when it is free again, and the zone
    of the person. Two queries for each channel, and one more.
    """
    people = Contact.objects.filter(pk__in={one.contact_id for one in deliveries})
    names = dict(people.values_list("pk", "time_zone"))
    known = zones_of(names.values())
    zones = {contact_id: known[name] for contact_id, name in names.items()}
    for channel in sorted({one.channel for one in deliveries}):
        limits = list(ChannelLimit.objects.filter(channel=channel))
        said: dict[UUID | None, list[Said]] = defaultdict(list)
        for one in said_lately(zones, channel, limits, now):
            # What is still on its way does not count here; what waits at the fence is among it.
            if one.left_at:
                said[one.contact_id].append(one)
        for delivery in deliveries:
            if delivery.channel != channel or delivery.contact_id not in zones:
                continue
            if found := full(limits, said[delivery.contact_id], delivery.purpose_id, now):
                used = f"{found.used} of {found.limit.at_most}"
                yield delivery.pk, f"{found.words} ({used} used)", found.free_at, zones[delivery.contact_id]


def _local(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M} on {local.day} {local:%B}, where they are"


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
