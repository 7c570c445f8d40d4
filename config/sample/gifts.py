"""What the sample shop gives: one offer on the site, one with codes of people's own, and its VIPs."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from campaigns.flows.playbooks import thank_vip
from campaigns.models import Coupon, Offer
from campaigns.offers.sources.made_here import MadeHere, made
from config.embedded.sample.catalogue import COUPONS
from config.embedded.sample.records import Year
from config.sample.copying import copy_in
from crm.kernel import ids
from crm.models import ContactStatus, Order, Standing, State

SITE_NAME, OWN_NAME = "10 % off turntables (sample shop)", "15 % to come back (sample shop)"
SITE_CODE, OWN_BEGINS = "WELCOME10", "VINYL15"  # Both are good at the sample shop's till.
BY = "the sample shop"
REGULAR = 4  # So many orders make somebody a VIP.
USED, EXPIRED, SHOWN, FREE = 15, 10, 8, 25
GOOD_FOR = timedelta(days=7)


def give(now: datetime) -> None:
    """All of it, as rows. The year and everybody's standing must be there."""
    year = Year.before(now)
    _on_site(now)
    _codes(_of_their_own(year), year, now)
    _regulars(year)


def _on_site(now: datetime) -> None:
    Offer.objects.create(
        name=SITE_NAME,
        kind=Offer.Kind.PERCENT,
        value=Decimal(COUPONS[SITE_CODE]),
        on=Offer.On.CATEGORY,
        category="Turntables",
        place=Offer.Place.SITE,
        codes=Offer.Codes.SHARED,
        shared_code=SITE_CODE,
        starts_at=now - timedelta(days=6),
        ends_at=now + timedelta(days=24),
        created_at=now,
    )


def _of_their_own(year: Year) -> Offer:
    return Offer.objects.create(
        name=OWN_NAME,
        kind=Offer.Kind.PERCENT,
        value=Decimal(COUPONS[OWN_BEGINS]),
        place=Offer.Place.MESSAGES,
        codes=Offer.Codes.SINGLE,
        code_source=MadeHere.key,
        code_params={"begins": OWN_BEGINS},
        good_for_hours=GOOD_FOR // timedelta(hours=1),
        may_beat_site=True,
        created_at=year.begins_at,
    )


def _codes(offer: Offer, year: Year, now: datetime) -> None:
    """Some were used: orders of the year with this much off came by one. Some ran out, some are out now."""
    orders = list(
        Order.objects.filter(coupon_code=OWN_BEGINS)
        .exclude(status=Order.Status.CANCELLED)
        .order_by("-occurred_at", "pk")[:USED]
    )
    for order in orders:
        order.coupon_code = made(OWN_BEGINS)
    Order.objects.bulk_update(orders, ["coupon_code"])
    coupons = [
        _held(
            order.coupon_code,
            order.contact_id,
            order.occurred_at - timedelta(days=2),
            Coupon.State.USED,
            used_at=order.occurred_at,
            order_id=order.pk,
        )
        for order in orders
    ]
    ran_out, lately = year.ends_at - timedelta(days=60), year.ends_at - timedelta(hours=14)
    for state, number, since, coupon_state in (
        (State.LOST, EXPIRED, ran_out, Coupon.State.EXPIRED),
        (State.AT_RISK, SHOWN, lately, Coupon.State.SHOWN),
    ):
        people = Standing.objects.filter(state=state).order_by("since", "contact_id")[:number]
        more = {"expired_at": since + GOOD_FOR} if coupon_state == Coupon.State.EXPIRED else {}
        coupons += [_held(made(OWN_BEGINS), one.contact_id, since, coupon_state, **more) for one in people]
    coupons += [Coupon(code=made(OWN_BEGINS), created_at=now) for _ in range(FREE)]
    for coupon in coupons:
        coupon.offer = offer
    Coupon.objects.bulk_create(coupons)


def _held(code: str, contact_id: UUID, since: datetime, state: str, **more: Any) -> Coupon:
    return Coupon(
        code=code,
        contact_id=contact_id,
        state=state,
        reserved_at=since,
        shown_at=since,
        expires_at=since + GOOD_FOR,
        created_at=since,
        **more,
    )


def _regulars(year: Year) -> None:
    """A VIP from their fourth order on, for as long as the status lasts."""
    status = thank_vip.vip(year.begins_at)
    orders: dict[UUID, int] = {}
    rows = []
    kept = Order.objects.exclude(status__in=[Order.Status.CANCELLED, Order.Status.REFUNDED])
    for contact_id, at in kept.order_by("occurred_at", "pk").values_list("contact_id", "occurred_at"):
        orders[contact_id] = orders.get(contact_id, 0) + 1
        if orders[contact_id] == REGULAR:
            rows.append(
                {
                    "id": ids.uuid7(at),
                    "contact_id": contact_id,
                    "status_id": status.pk,
                    "until": at + timedelta(days=status.lasts_days),
                    "granted_by": BY,
                    "occurred_at": at,
                    "recorded_at": at,
                    "is_backfill": True,
                }
            )
    copy_in(ContactStatus, rows)
