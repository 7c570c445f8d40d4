"""Codes taken out of the pool, each by one person, however many ask in the same moment; and given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from campaigns.models import Coupon, Offer
from campaigns.models.offers import is_running
from campaigns.offers.judging import Verdict
from campaigns.offers.sources import source_of
from crm.models.writing import update_rows

_HELD = (
    "state",
    "contact_id",
    "held_for",
    "enrolment_id",
    "expires_at",
    "reserved_at",
    "next_order",
    "rests_on",
)
_SEEN = ("version_seen", "orders_seen", "goods_price", "lease_seen")


@dataclass(frozen=True)
class Wanted:
    """One delivery that may give the offer to one person, or one run the offer is set aside for; `lease`: the
    one the delivery is claimed under, if it is.
    """

    contact_id: UUID
    held_for: UUID | None
    verdict: Verdict
    lease: int | None = None
    enrolment_id: UUID | None = None

    @property
    def key(self) -> UUID:
        """What asks: the delivery, or the run."""
        found = self.held_for or self.enrolment_id
        assert found is not None
        return found


def reserve(offer: Offer, wanted: Sequence[Wanted], now: datetime) -> dict[UUID, Coupon]:
    """A coupon for each, by its `key`; those for whom no code is left are not in it.

    Call it within a transaction: the codes are its own from here on, and free again if it does not commit.
    """
    if offer.codes != Offer.Codes.SINGLE:
        coupons = [
            Coupon(offer=offer, code=offer.shared_code, is_single=False, created_at=now) for _ in wanted
        ]
        given = [_hold(coupon, one, now) for coupon, one in zip(coupons, wanted, strict=True)]
        Coupon.objects.bulk_create(given, batch_size=1000)
        return {one.key: coupon for one, coupon in zip(wanted, given, strict=True)}
    free = _free(offer, len(wanted), now)
    given = [_hold(coupon, one, now) for coupon, one in zip(free, wanted, strict=False)]
    update_rows(given, *_HELD, *_SEEN)
    return {one.key: coupon for one, coupon in zip(wanted, given, strict=False)}


def note(coupon: Coupon, verdict: Verdict, lease: int | None) -> None:
    """Take over what the newest verdict says of a held coupon, and under which lease its message is made."""
    coupon.next_order, coupon.rests_on = verdict.next_order, verdict.rests_on
    coupon.version_seen, coupon.orders_seen = verdict.version_seen, verdict.orders_seen
    coupon.goods_price, coupon.lease_seen = verdict.goods_price, lease


def store(coupons: Sequence[Coupon]) -> None:
    """Write what `note` changed."""
    update_rows(coupons, "next_order", "rests_on", *_SEEN)


def take_over(coupons: Sequence[Coupon]) -> None:
    """Write that these are held for other messages of the same run from here on."""
    update_rows(coupons, "state", "held_for", "shown_at", "next_order", "rests_on", *_SEEN)


def usable(now: datetime) -> Q:
    """Coupons whose holder may use them at `now`."""
    held = Q(state__in=[Coupon.State.RESERVED, Coupon.State.SHOWN])
    return held & (Q(expires_at__isnull=True) | Q(expires_at__gt=now)) & is_running(now, "offer__")


def give_back(coupons: Sequence[Coupon]) -> None:
    """Into the pool with codes that nobody can have seen; a hold of a shared code is forgotten. What is set
    aside for a run stays so: its next message may show it.
    """
    aside = [coupon for coupon in coupons if coupon.enrolment_id]
    for coupon in aside:
        coupon.held_for = None
    update_rows(aside, "held_for")
    coupons = [coupon for coupon in coupons if not coupon.enrolment_id]
    for coupon in coupons:
        coupon.state = Coupon.State.FREE
        coupon.contact_id = coupon.held_for = coupon.reserved_at = None
        coupon.rests_on = coupon.expires_at = None
        coupon.next_order = False
        coupon.expires_at = coupon.good_until
    Coupon.objects.filter(pk__in=[one.pk for one in coupons if not one.is_single]).delete()
    update_rows([one for one in coupons if one.is_single], *_HELD)


def _free(offer: Offer, number: int, now: datetime) -> list[Coupon]:
    """So many free codes, locked; those that others are just taking are passed by."""
    pool = Coupon.objects.filter(offer=offer, state=Coupon.State.FREE).filter(
        Q(good_until__isnull=True) | Q(good_until__gt=now)
    )
    found = list(pool.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("pk")[:number])
    source = source_of(offer)
    if len(found) < number and source is not None and source.on_demand:
        params = source.read(offer.code_params)
        missing = number - len(found)
        made = [
            Coupon(offer=offer, code=code, created_at=now) for code in source.codes(offer, params, missing)
        ]
        found += Coupon.objects.bulk_create(made, batch_size=1000)
    for coupon in found:
        coupon.offer = offer  # known here, so that nobody asks for it coupon by coupon
    return found


def _hold(coupon: Coupon, one: Wanted, now: datetime) -> Coupon:
    offer = coupon.offer
    coupon.state = Coupon.State.RESERVED
    coupon.contact_id, coupon.held_for, coupon.reserved_at = one.contact_id, one.held_for, now
    coupon.enrolment_id = one.enrolment_id
    ends = [offer.ends_at, coupon.good_until]
    if offer.good_for_hours:
        ends.append(now + timedelta(hours=offer.good_for_hours))
    coupon.expires_at = min((end for end in ends if end), default=None)
    note(coupon, one.verdict, one.lease)
    return coupon
