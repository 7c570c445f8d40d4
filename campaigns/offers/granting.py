"""Giving an offer with a message: decided when a step makes the message, and again when it is rendered.

The guard judges, a code is taken from the pool, and whoever may not have it goes without, or gets nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from campaigns.models import Coupon, Decision, Delivery, DeliveryAttempt, Offer
from campaigns.offers import asides, reserving, slots
from campaigns.offers.asides import NO_COUPON
from campaigns.offers.judging import Asked, Verdict, judge
from campaigns.offers.reserving import Wanted
from crm.models import Contact
from crm.models.writing import update_rows

HAD_TODAY = Verdict("offer_today", "They have had the offers of today already")

# How an attempt ended after which nobody can have seen the message.
UNSEEN = ("refused", "deferred", "unreachable", "unsendable", "not_fenced", "not_sent")


@dataclass(frozen=True)
class Refused:
    """Why a delivery goes without its offer; `ends_it` where it does not go at all."""

    reason: str
    words: str
    ends_it: bool = False


def grant(offer: Offer, deliveries: Sequence[Delivery], now: datetime) -> dict[UUID, Refused]:
    """Reserve the offer for each of these new deliveries whose person may have it; the others come back with
    the reason, by public id. Call it in the transaction that stores the deliveries.

    What is set aside for the run of a delivery is what it gives.
    """
    asides.lock([delivery.contact_id for delivery in deliveries])
    mine = asides.of_messages(offer, deliveries, now)
    verdicts = judge([_asked(delivery, offer, mine.get(delivery.public_id)) for delivery in deliveries], now)
    allowed, refused, given = [], {}, set()
    for delivery in deliveries:
        assert delivery.contact_id is not None
        aside, verdict = mine.get(delivery.public_id), verdicts[delivery.public_id]
        if isinstance(aside, Verdict) and not aside.allowed:
            verdict = aside
        if verdict.allowed and offer.is_private and delivery.contact_id in given:
            verdict = asides.ELSEWHERE
        if not verdict.allowed:
            refused[delivery.public_id] = Refused(verdict.reason, verdict.words)
            continue
        given.add(delivery.contact_id)
        allowed.append(delivery)
    today = slots.take([(one.contact_id, one.public_id) for one in allowed if one.contact_id], now)
    wanted, taken = [], []
    for delivery in allowed:
        assert delivery.contact_id is not None
        aside, verdict = mine.get(delivery.public_id), verdicts[delivery.public_id]
        if delivery.public_id not in today:
            refused[delivery.public_id] = Refused(HAD_TODAY.reason, HAD_TODAY.words)
        elif isinstance(aside, Coupon):
            aside.held_for = delivery.public_id
            reserving.note(aside, verdict, None)
            taken.append(aside)
        else:
            run = delivery.enrolment_id if aside is asides.A_NEW_ONE else None
            wanted.append(Wanted(delivery.contact_id, delivery.public_id, verdict, enrolment_id=run))
    reserving.take_over(taken)
    coupons = reserving.reserve(offer, wanted, now)
    without = [one for one in wanted if one.key not in coupons]
    for one in without:
        refused[one.key] = Refused(NO_COUPON.reason, NO_COUPON.words)
    slots.give_back({one.contact_id for one in without}, {one.key for one in without})
    return refused


def rehearse(offer: Offer, deliveries: Sequence[Delivery], now: datetime) -> dict[UUID, Refused]:
    """As `grant`, for a walk that is taken back: nobody is locked, no code of the pool is used or shown."""
    mine = asides.of_messages(offer, deliveries, now, rehearsed=True)
    verdicts = judge([_asked(delivery, offer, mine.get(delivery.public_id)) for delivery in deliveries], now)
    found = {}
    for delivery in deliveries:
        aside, verdict = mine.get(delivery.public_id), verdicts[delivery.public_id]
        if isinstance(aside, Verdict) and not aside.allowed:
            verdict = aside
        if not verdict.allowed:
            found[delivery.public_id] = Refused(verdict.reason, verdict.words)
            continue
        coupon = (
            aside if isinstance(aside, Coupon) else asides.example(offer, delivery.contact_id, verdict, now)
        )
        coupon.held_for = delivery.public_id
        coupon.save(update_fields=["held_for"])
    return found


def look_again(deliveries: Sequence[Delivery], now: datetime) -> dict[int, Refused]:
    """The guard once more, before these claimed deliveries are rendered. Returns by delivery id those that
    go without their offer, or do not go.

    A code that was used or ended meanwhile is replaced by another; one that may not be given any more goes
    back to the pool, if nobody can have seen it.
    """
    promising = {delivery.public_id: delivery for delivery in deliveries if delivery.offer_id}
    if not promising:
        return {}
    held = {
        coupon.held_for: coupon
        for coupon in Coupon.objects.filter(held_for__in=promising).select_related("offer")
        if coupon.held_for
    }
    usable = set(
        Coupon.objects.filter(
            reserving.usable(now), pk__in=[coupon.pk for coupon in held.values()]
        ).values_list("pk", flat=True)
    )
    verdicts = judge([_asked(promising[key], coupon.offer, coupon) for key, coupon in held.items()], now)
    _keep_today([promising[key] for key in held if verdicts[key].allowed], verdicts, now)
    noted: list[Coupon] = []
    fallen: list[tuple[Delivery, Coupon, Verdict]] = []
    for key, coupon in held.items():
        verdict = verdicts[key]
        if not verdict.allowed or coupon.pk not in usable:
            fallen.append((promising[key], coupon, verdict))
        else:
            reserving.note(coupon, verdict, promising[key].lease_token)
            noted.append(coupon)
    reserving.store(noted)
    refused = _let_go(fallen, now) if fallen else {}
    for delivery in promising.values():
        if delivery.needs_offer and delivery.public_id not in held:
            refused[delivery.pk] = Refused(NO_COUPON.reason, NO_COUPON.words, ends_it=True)
    return refused


def _keep_today(deliveries: Sequence[Delivery], verdicts: dict[Hashable, Verdict], now: datetime) -> None:
    """A message that waited into another day of its person takes one of the offers of that day, if it can."""
    people = {one.public_id: one.contact_id for one in deliveries if one.contact_id}
    late = slots.lost(people, now) if people else set()
    if not late:
        return
    with transaction.atomic():
        again = slots.take([(people[key], key) for key in late], now)
    for key in late - again:
        verdicts[key] = HAD_TODAY


def _let_go(fallen: Sequence[tuple[Delivery, Coupon, Verdict]], now: datetime) -> dict[int, Refused]:
    """Take these holds back, and give another code where only the code was at fault."""
    seen = _maybe_seen([delivery for delivery, _, _ in fallen])
    again: dict[Offer, list[Wanted]] = defaultdict(list)
    refused: dict[Hashable, Refused] = {}
    with transaction.atomic():
        _part(
            [
                coupon
                for delivery, coupon, _ in fallen
                if coupon.state != Coupon.State.RESERVED or delivery.pk in seen
            ],
            now,
        )
        reserving.give_back(
            [
                coupon
                for delivery, coupon, _ in fallen
                if coupon.state == Coupon.State.RESERVED and delivery.pk not in seen
            ]
        )
        for delivery, coupon, verdict in fallen:
            assert delivery.contact_id is not None
            if verdict.allowed and coupon.enrolment_id and coupon.shown_at:
                verdict = asides.spent(coupon)
            if verdict.allowed:
                run = coupon.enrolment_id
                wanted = Wanted(delivery.contact_id, delivery.public_id, verdict, delivery.lease_token, run)
                again[coupon.offer].append(wanted)
            else:
                refused[delivery.public_id] = Refused(verdict.reason, verdict.words)
        asides.let_go([coupon for _, coupon, verdict in fallen if verdict.allowed and not coupon.shown_at])
        for offer, some in again.items():
            given = reserving.reserve(offer, some, now)
            for one in some:
                if one.key not in given:
                    refused[one.key] = Refused(NO_COUPON.reason, NO_COUPON.words)
        slots.give_back(
            {delivery.contact_id for delivery, _, _ in fallen if delivery.contact_id},
            {
                delivery.public_id
                for delivery, _, _ in fallen
                if delivery.public_id in refused and delivery.pk not in seen
            },
        )
        _tell(
            [
                (delivery, refused[delivery.public_id])
                for delivery, _, _ in fallen
                if delivery.public_id in refused and not delivery.needs_offer
            ],
            now,
        )
    return {
        delivery.pk: Refused(no.reason, no.words, ends_it=delivery.needs_offer)
        for delivery, _, _ in fallen
        if (no := refused.get(delivery.public_id))
    }


def _part(coupons: Sequence[Coupon], now: datetime) -> None:
    """These stay their holder's, but no longer the delivery's."""
    for coupon in coupons:
        coupon.held_for = None
        if coupon.state == Coupon.State.RESERVED:
            coupon.state, coupon.shown_at = Coupon.State.SHOWN, now
    update_rows(coupons, "state", "held_for", "shown_at")


def _maybe_seen(deliveries: Sequence[Delivery]) -> set[int]:
    attempts = DeliveryAttempt.objects.filter(delivery__in=[one.pk for one in deliveries])
    return set(attempts.exclude(result__in=UNSEEN).values_list("delivery_id", flat=True))


def _tell(without: Sequence[tuple[Delivery, Refused]], now: datetime) -> None:
    known = set(
        Contact.objects.filter(pk__in=[delivery.contact_id for delivery, _ in without]).values_list(
            "pk", flat=True
        )
    )
    Decision.objects.bulk_create(
        Decision(
            contact_id=delivery.contact_id,
            campaign_id=delivery.campaign_id,
            enrolment_id=delivery.enrolment_id,
            delivery_id=delivery.pk,
            step_key=delivery.step_key,
            verdict=Decision.Verdict.QUEUED,
            reason=refused.reason,
            words=f"Goes without its offer: {refused.words}"[:300],
            decided_at=now,
        )
        for delivery, refused in without
        if delivery.contact_id in known
    )


def _asked(delivery: Delivery, offer: Offer, coupon: Coupon | Verdict | None) -> Asked:
    assert delivery.contact_id is not None
    return Asked(
        key=delivery.public_id,
        offer=offer,
        contact_id=delivery.contact_id,
        subject_kind=delivery.subject_kind,
        subject_id=delivery.subject_id,
        held_for=delivery.public_id,
        coupon_id=coupon.pk if isinstance(coupon, Coupon) else None,
    )
