"""The discount guard and the ladder: whether a person may be given an offer now, and in which words.

Asked when a step decides and again when the message is made. Any number of people and offers cost a fixed
number of queries, and one more for each offer that is weighed against the whole catalogue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, prefetch_related_objects

from campaigns.models import Coupon, Delivery, DeliveryState, Offer, OfferSettings
from campaigns.offers import weighing
from campaigns.offers.reach import Good, Reach, reaches
from crm.kernel.rules import Scope, conditions
from crm.models import Contact, Order, Product
from crm.people import statuses
from crm.shop import prices
from tracking.models import CartLine

MESSAGES = 0
NOTHING = -1


@dataclass(frozen=True)
class Asked:
    """One message that would give an offer: to whom and about what. `held_for` names the delivery itself and
    `coupon_id` what is set aside for it, so that what it already holds does not count against it.
    """

    key: Hashable
    offer: Offer
    contact_id: UUID
    subject_kind: str = ""
    subject_id: UUID | None = None
    held_for: UUID | None = None
    coupon_id: int | None = None


@dataclass
class Verdict:
    """Without a `reason` the offer may be given. `next_order`: as something off the next order only.

    `rests_on` is the site's offer that makes it no better than the site; the last three are what the fence
    compares.
    """

    reason: str = ""
    words: str = ""
    next_order: bool = False
    rests_on: Offer | None = None
    version_seen: int = 0
    orders_seen: int = 0
    goods_price: Decimal = field(default_factory=Decimal)

    @property
    def allowed(self) -> bool:
        return not self.reason


def guard_settings() -> OfferSettings:
    """What the guard holds offers to; a database that never had any gets the defaults."""
    return OfferSettings.objects.filter(pk=1).first() or OfferSettings()


def judge(asked: Sequence[Asked], now: datetime) -> dict[Hashable, Verdict]:
    """The verdict on each, by its key."""
    if not asked:
        return {}
    case = _Case(asked, now)
    return {one.key: case.verdict(one) for one in asked}


@dataclass(frozen=True)
class _Gift:
    """One offer somebody was given: when, on which rung, by which delivery and coupon."""

    at: datetime
    rung: int
    held_for: UUID | None
    coupon_id: int


class _Case:
    """Everything the verdicts of one batch rest upon, loaded once."""

    def __init__(self, asked: Sequence[Asked], now: datetime) -> None:
        self.now = now
        self.rules = guard_settings()
        self.people = {one.contact_id for one in asked}
        offers = {one.offer.pk: one.offer for one in asked}
        on_site = list(Offer.objects.running(now).filter(place=Offer.Place.SITE))
        known = {reach.offer.pk: reach for reach in reaches([*offers.values(), *on_site])}
        self.reach = {pk: known[pk] for pk in offers}
        self.on_site = [known[offer.pk] for offer in on_site]
        self.goods = _goods(asked)
        self.bought = self._bought()
        self.orders = self._orders()
        private = [offer for offer in offers.values() if offer.is_private]
        climbing = any(offer.follows_ladder for offer in private)
        self.had = self._had() if climbing else {}
        self.written_to = self._written_to() if climbing else set()
        self.hunters = self._hunters() if any(offer.skip_hunters for offer in private) else set()
        closed = [offer for offer in offers.values() if offer.for_status_id]
        prefetch_related_objects(closed, "for_status")
        self.statuses = statuses.holders(self.people, now) if closed else {}
        self._too_deep: dict[tuple[Any, ...], str] = {}

    def verdict(self, one: Asked) -> Verdict:
        """The first reason against it, or what it may say."""
        reach = self.reach[one.offer.pk]
        goods = self.goods.get(one.subject_id, []) if one.subject_id else []
        placed, kept = self.orders.get(one.contact_id, (0, 0))
        found = Verdict(
            version_seen=self.rules.version,
            orders_seen=placed,
            goods_price=sum((good.price or Decimal(0) for good in goods if good.product_id), Decimal(0)),
        )
        found.rests_on = weighing.as_good_on_the_site(reach, self.on_site)
        just_bought = [good for good in self.bought.get(one.contact_id, []) if reach.covers(good)]
        found.next_order = bool(just_bought)
        found.reason, found.words = (
            self._gone(one.offer)
            or self._beats_site(one.offer, found.rests_on)
            or self._below_margin(reach, goods)
            or self._only_what_they_have(reach, just_bought)
            or self._not_for(one, kept)
            or self._lately(one)
            or self._too_high(one)
            or ("", "")
        )
        return found

    def _gone(self, offer: Offer) -> tuple[str, str] | None:
        if offer.runs(self.now):
            return None
        begins = offer.is_active and offer.starts_at is not None and offer.starts_at > self.now
        return "offer_over", f"The offer “{offer}” {'has not begun yet' if begins else 'is over'}"

    def _beats_site(self, offer: Offer, rests_on: Offer | None) -> tuple[str, str] | None:
        if offer.may_beat_site or rests_on is not None:
            return None
        return "beats_site", f"“{offer}” is better than what the site gives now, and it may not be"

    def _below_margin(self, reach: Reach, goods: list[Good]) -> tuple[str, str] | None:
        # Nearly everybody of a batch is asked the same: about no goods, or about the same few.
        key = (reach.offer.pk, tuple((good.product_id, good.price, good.quantity) for good in goods))
        if key not in self._too_deep:
            self._too_deep[key] = weighing.too_deep(reach, goods, self.rules)
        words = self._too_deep[key]
        return ("margin_floor", f"“{reach.offer}” is too deep: {words}") if words else None

    def _only_what_they_have(self, reach: Reach, just_bought: list[Good]) -> tuple[str, str] | None:
        if reach.offer.on != Offer.On.PRODUCTS or not just_bought:
            return None
        if set(reach.listed) - {good.product_id for good in just_bought}:
            return None
        return "just_bought", f"They just bought at full price all that “{reach.offer}” is on"

    def _not_for(self, one: Asked, orders: int) -> tuple[str, str] | None:
        closed_to = one.offer.for_status_id
        if closed_to and one.contact_id not in self.statuses.get(closed_to, set()):
            return "not_status", f"“{one.offer}” is only for people who are {one.offer.for_status}"
        if one.offer.first_time_only and orders:
            return "not_first_time", f"“{one.offer}” is for first-time buyers, and they have bought before"
        if one.offer.is_private and one.offer.skip_hunters and one.contact_id in self.hunters:
            return "discount_dependent", f"“{one.offer}” is not for discount-dependent customers"
        return None

    def _lately(self, one: Asked) -> tuple[str, str] | None:
        if not _climbs(one.offer):
            return None
        since = self.now - timedelta(days=self.rules.quiet_days)
        had = self.had.get(one.contact_id, ())
        lately = [gift.at for gift in had if gift.at > since and _other(gift, one)]
        if not lately:
            return None
        days = self.rules.quiet_days
        return "offer_lately", f"They had an offer on {max(lately):%-d %B}; one in {days} days is enough"

    def _too_high(self, one: Asked) -> tuple[str, str] | None:
        if not _climbs(one.offer):
            return None
        rungs = [gift.rung for gift in self.had.get(one.contact_id, ()) if _other(gift, one)]
        height = max(rungs, default=MESSAGES if one.contact_id in self.written_to else NOTHING)
        if one.offer.rung <= height + 1:
            return None
        if height == NOTHING:
            return "ladder", "The first message gives nothing off"
        return "ladder", f"One step at a time: “{one.offer}” is more than one above what they had so far"

    def _bought(self) -> dict[UUID, list[Good]]:
        """What each of them bought at full price lately."""
        since = self.now - timedelta(days=self.rules.full_price_days)
        lines = [line for line in prices.paid(self.people, since, self.now) if line.at_full_price]
        goods = _known({line.product_id for line in lines if line.product_id})
        found: dict[UUID, list[Good]] = defaultdict(list)
        for line in lines:
            found[line.contact_id].append(goods.get(line.product_id, Good(line.product_id)))
        return found

    def _orders(self) -> dict[UUID, tuple[int, int]]:
        """How many orders each has, and how many of them were not cancelled."""
        counted = Order.objects.filter(contact__in=self.people).order_by().values("contact_id")
        kept = Count("pk", filter=~Q(status=Order.Status.CANCELLED))
        rows = counted.annotate(placed=Count("pk"), kept=kept).values_list("contact_id", "placed", "kept")
        return {contact_id: (placed, number) for contact_id, placed, number in rows}

    def _had(self) -> dict[UUID, list[_Gift]]:
        """The private offers each was given within the ladder's memory."""
        since = self.now - timedelta(days=max(self.rules.ladder_days, self.rules.quiet_days))
        rows = Coupon.objects.filter(
            contact_id__in=self.people, reserved_at__gt=since, offer__place=Offer.Place.MESSAGES
        ).values_list("contact_id", "reserved_at", "offer__rung", "held_for", "pk")
        found: dict[UUID, list[_Gift]] = defaultdict(list)
        for contact_id, at, rung, held_for, coupon_id in rows:
            assert contact_id is not None and at is not None
            found[contact_id].append(_Gift(at, rung, held_for, coupon_id))
        return found

    def _written_to(self) -> set[UUID]:
        """Who got a message without an offer within the ladder's memory."""
        since = self.now - timedelta(days=self.rules.ladder_days)
        without = ~Exists(Coupon.objects.filter(held_for=OuterRef("public_id")))
        rows = Delivery.objects.filter(
            without,
            contact_id__in=self.people,
            origin=Delivery.Origin.FLOW,
            created_at__gt=since,
            state__in=[DeliveryState.SENT, DeliveryState.UNKNOWN],
        )
        written_to = rows.order_by("contact_id").values_list("contact_id", flat=True).distinct()
        return {contact_id for contact_id in written_to if contact_id}

    def _hunters(self) -> set[UUID]:
        """Discount-dependent customers among them, by the same condition that rules ask."""
        kind = conditions.get("crm.discount_share")
        params = kind.read(
            {
                "which": "least",
                "percent": self.rules.hunter_percent,
                "off": "anything",
                "orders": self.rules.hunter_orders,
            }
        )
        asked = kind.q(params, self.now, Scope(current=True, among=sorted(self.people)))
        return set(Contact.objects.filter(asked, pk__in=self.people).values_list("pk", flat=True))


def _climbs(offer: Offer) -> bool:
    return offer.is_private and offer.follows_ladder


def _other(gift: _Gift, one: Asked) -> bool:
    return gift.coupon_id != one.coupon_id and (gift.held_for is None or gift.held_for != one.held_for)


def _known(product_ids: set[UUID]) -> dict[UUID | None, Good]:
    rows = Product.objects.filter(pk__in=product_ids)
    return {row.pk: Good(row.pk, row.name, row.category, row.brand, row.price, row.cost) for row in rows}


def _goods(asked: Sequence[Asked]) -> dict[UUID, list[Good]]:
    """The goods of each cart that a message is about, with what the site asks for them now."""
    carts = {one.subject_id for one in asked if one.subject_kind == "cart" and one.subject_id}
    if not carts:
        return {}
    owners = {one.contact_id for one in asked}
    lines = CartLine.objects.filter(cart__in=carts, contact__in=owners).select_related("product")
    found: dict[UUID, list[Good]] = defaultdict(list)
    for line in lines.order_by("position", "id"):
        thing = line.product
        found[line.cart_id].append(
            Good(
                thing.pk if thing else None,
                thing.name if thing else line.name,
                thing.category if thing else "",
                thing.brand if thing else "",
                thing.price if thing and thing.price is not None else line.price,
                thing.cost if thing else None,
                line.quantity,
            )
        )
    return found
