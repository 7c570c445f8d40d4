"""Codes set aside for a run through a flow, ahead of the messages that will show them: all of its messages
show the same one, and nobody gets a second code of the same offer by it.

A code that no message showed goes back to the pool when the run has ended (`campaigns.offers.upkeep`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from campaigns.models import Coupon, Delivery, DeliveryState, Enrolment, Offer
from campaigns.offers import reserving
from campaigns.offers.judging import Asked, Verdict, judge
from campaigns.offers.reserving import Wanted
from campaigns.offers.telling import EXAMPLE_CODE
from crm.models import Contact
from crm.models.writing import update_rows

NO_COUPON = Verdict("no_coupon", "No code of the offer is left")
A_NEW_ONE = Verdict()
ELSEWHERE = Verdict("offer_lately", "They get this offer with another message")

_ALIVE = (Coupon.State.RESERVED, Coupon.State.SHOWN)
_UNDER_WAY = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SENDING)
_LEFT = (DeliveryState.SENT, DeliveryState.UNKNOWN)


def lock(people: Collection[UUID | None]) -> None:
    """So that two flows which decide about one person at once see each other's gift."""
    known = [contact_id for contact_id in people if contact_id]
    rows = Contact.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=known)
    list(rows.order_by("pk").values_list("pk", flat=True))


def set_aside(offer: Offer, runs: Sequence[Enrolment], now: datetime) -> dict[UUID, Coupon | Verdict]:
    """Take a code for each of these runs whose person may have the offer, or say why not, by run. Call it
    within a transaction, in a fixed number of queries.

    Whoever was shown a code of the offer before, and may still use it, keeps that one.
    """
    lock([run.contact_id for run in runs])
    held = _held(offer, runs, now)
    found: dict[UUID, Coupon | Verdict] = {}
    asking: list[tuple[Enrolment, Coupon | None]] = []
    taken: set[UUID] = set()
    for run in runs:
        mine = held.of_run(run)
        if mine is None and run.contact_id in taken:
            mine = ELSEWHERE
        taken.add(run.contact_id)
        if isinstance(mine, Verdict) or (mine and mine.enrolment_id == run.pk):
            found[run.pk] = mine
        else:
            asking.append((run, mine))
    verdicts = judge([_asked(offer, run, coupon) for run, coupon in asking], now)
    wanted = []
    kept = []
    for run, coupon in asking:
        verdict = verdicts[run.pk]
        if not verdict.allowed:
            found[run.pk] = verdict
        elif coupon is not None:
            coupon.enrolment_id = run.pk
            kept.append(coupon)
            found[run.pk] = coupon
        else:
            wanted.append(Wanted(run.contact_id, None, verdict, enrolment_id=run.pk))
    update_rows(kept, "enrolment_id")
    given = reserving.reserve(offer, wanted, now)
    return found | {one.key: given.get(one.key, NO_COUPON) for one in wanted}


def rehearse(offer: Offer, runs: Sequence[Enrolment], now: datetime) -> dict[UUID, Coupon | Verdict]:
    """As `set_aside`, for a walk that is taken back: nobody is locked, no code of the pool is used."""
    verdicts = judge([_asked(offer, run, None) for run in runs], now)
    found: dict[UUID, Coupon | Verdict] = {}
    for run in runs:
        verdict = verdicts[run.pk]
        found[run.pk] = verdict
        if verdict.allowed:
            found[run.pk] = coupon = example(offer, run.contact_id, verdict, now)
            coupon.enrolment_id = run.pk
            coupon.save(update_fields=["enrolment_id"])
    return found


def example(offer: Offer, contact_id: UUID | None, verdict: Verdict, now: datetime) -> Coupon:
    """A hold of an example of a code."""
    return Coupon.objects.create(
        offer=offer,
        code=offer.shared_code or EXAMPLE_CODE,
        is_single=False,
        state=Coupon.State.RESERVED,
        contact_id=contact_id,
        reserved_at=now,
        expires_at=offer.ends_at,
        next_order=verdict.next_order,
        created_at=now,
    )


def of_messages(
    offer: Offer, deliveries: Sequence[Delivery], now: datetime, *, rehearsed: bool = False
) -> dict[UUID, Coupon | Verdict]:
    """What is set aside for the runs of these new deliveries, by public id; or why nothing more is given, or
    `A_NEW_ONE` where the code was spoiled before anybody saw it. Runs for which nothing is set aside are not
    in it. The messages of a walk that is `rehearsed` never leave.
    """
    runs = {delivery.enrolment_id for delivery in deliveries if delivery.enrolment_id}
    people = {delivery.contact_id for delivery in deliveries}
    asides = list(
        Coupon.objects.filter(offer=offer, contact_id__in=people, enrolment_id__in=runs).order_by(
            "reserved_at"
        )
        if runs
        else ()
    )
    if not asides:
        return {}
    usable = _usable(asides, now)
    carriers = _carriers(asides)
    by_run = {(coupon.enrolment_id, coupon.contact_id): coupon for coupon in asides}
    found: dict[UUID, Coupon | Verdict] = {}
    for delivery in deliveries:
        coupon = by_run.get((delivery.enrolment_id, delivery.contact_id))
        if coupon is None:
            continue
        carrier = carriers.get(coupon.held_for) if coupon.held_for else None
        if coupon.pk not in usable:
            seen = coupon.shown_at or _was_seen(carrier)
            found[delivery.public_id] = spent(coupon) if seen else A_NEW_ONE
        elif carrier is not None and carrier.state in _UNDER_WAY and not rehearsed:
            found[delivery.public_id] = ELSEWHERE
        else:
            if _was_seen(carrier) and carrier is not None:
                coupon.state, coupon.shown_at = Coupon.State.SHOWN, coupon.shown_at or carrier.fenced_at
            found[delivery.public_id] = coupon
    let_go(
        [
            by_run[one.enrolment_id, one.contact_id]
            for one in deliveries
            if found.get(one.public_id) is A_NEW_ONE
        ]
    )
    return found


def let_go(coupons: Sequence[Coupon]) -> None:
    """These are set aside for nobody any more: another takes their place."""
    for coupon in coupons:
        coupon.enrolment_id = None
    update_rows(coupons, "enrolment_id")


def spent(coupon: Coupon) -> Verdict:
    """Why somebody who saw this code gets no other of its offer."""
    if coupon.state == Coupon.State.USED:
        return Verdict("offer_used", f"They have used their code of “{coupon.offer}”")
    return Verdict("offer_expired", f"Their code of “{coupon.offer}” is good no longer")


class _Held:
    """What the people of some runs hold of one offer."""

    def __init__(self, coupons: Sequence[Coupon], usable: set[int], carriers: Mapping[UUID, Any]) -> None:
        self._usable, self._carriers = usable, carriers
        self._by_person: dict[UUID, list[Coupon]] = defaultdict(list)
        for coupon in coupons:
            if coupon.contact_id:
                self._by_person[coupon.contact_id].append(coupon)
        others = {coupon.enrolment_id for coupon in coupons if coupon.enrolment_id}
        active = Enrolment.objects.filter(
            pk__in=others, contact__in=list(self._by_person), state=Enrolment.State.ACTIVE
        )
        self._active = set(active.values_list("pk", flat=True)) if others else set()

    def of_run(self, run: Enrolment) -> Coupon | Verdict | None:
        """What this run goes on with: its own, one its person was shown before, or why it gets none."""
        theirs = self._by_person.get(run.contact_id, [])
        mine = next((coupon for coupon in reversed(theirs) if coupon.enrolment_id == run.pk), None)
        if mine is not None:
            if mine.pk in self._usable:
                return mine
            if mine.shown_at or _was_seen(self._carriers.get(mine.held_for) if mine.held_for else None):
                return spent(mine)
        for coupon in reversed(theirs):
            if coupon.pk in self._usable:
                return ELSEWHERE if self._is_awaited(coupon) else coupon
        return None

    def _is_awaited(self, coupon: Coupon) -> bool:
        """Whether another message will show it for the first time, or another run goes on with it."""
        return coupon.state == Coupon.State.RESERVED or coupon.enrolment_id in self._active


def _held(offer: Offer, runs: Sequence[Enrolment], now: datetime) -> _Held:
    theirs = Coupon.objects.filter(
        Q(state__in=_ALIVE) | Q(enrolment_id__in=[run.pk for run in runs]),
        offer=offer,
        contact_id__in={run.contact_id for run in runs},
    )
    coupons = list(theirs.select_related("offer").order_by("reserved_at"))
    return _Held(coupons, _usable(coupons, now), _carriers(coupons))


def _usable(coupons: Sequence[Coupon], now: datetime) -> set[int]:
    found = Coupon.objects.filter(reserving.usable(now), pk__in=[coupon.pk for coupon in coupons])
    return set(found.values_list("pk", flat=True))


def _carriers(coupons: Sequence[Coupon]) -> dict[UUID, Delivery]:
    """The deliveries that carry them."""
    held_for = {coupon.held_for for coupon in coupons if coupon.held_for}
    rows = Delivery.objects.filter(public_id__in=held_for).only("public_id", "state", "fenced_at")
    return {row.public_id: row for row in rows}


def _was_seen(carrier: Delivery | None) -> bool:
    return carrier is not None and carrier.state in _LEFT


def _asked(offer: Offer, run: Enrolment, coupon: Coupon | None) -> Asked:
    return Asked(
        key=run.pk,
        offer=offer,
        contact_id=run.contact_id,
        subject_kind=run.subject_kind,
        subject_id=run.subject_id,
        coupon_id=coupon.pk if coupon else None,
    )
