"""Who must leave a flow before the next step: they bought, what it is about is over, or the exit rule came
true.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from campaigns.flows import entry
from campaigns.flows.kinds import NOTHING_GUARDED, Guarded
from campaigns.models import Campaign, Enrolment
from crm.kernel import rules
from crm.kernel.rules import AnyOf
from crm.models import ContactPoint, Order

EXIT_RULE = "exit_rule"
WORDS = {
    "purchased": "They bought.",
    "cart_emptied": "They emptied the cart.",
    "cart_forgotten": "The cart has not changed for 30 days.",
    "cart_gone": "The cart is no longer known.",
    EXIT_RULE: "The campaign's exit rule became true.",
    "stopped": "The campaign was stopped.",
    "taken_out": "A colleague took them out of every campaign.",
    "merged": "The contact was merged into another.",
    "erased": "They were erased.",
}


def reasons(
    campaign: Campaign, enrolments: Sequence[Enrolment], guards: Mapping[UUID, Guarded], now: datetime
) -> dict[UUID, str]:
    """Those who must leave, with the reason's code, in a fixed number of queries."""
    found: dict[UUID, str] = {}
    if not rules.is_blank(campaign.exit_rule):
        out = entry.those(campaign.exit_rule, "The exit rule", enrolments, now)
        found |= dict.fromkeys(out, EXIT_RULE)
    found |= {key: guard.ended for key, guard in guards.items() if guard.ended}
    if campaign.exit_on_purchase:
        found |= dict.fromkeys(_bought(enrolments, guards), "purchased")
    return found


def _bought(enrolments: Sequence[Enrolment], guards: Mapping[UUID, Guarded]) -> set[UUID]:
    """Any order, not cancelled, since the subject opened (or they entered): by person, address, cart or
    checkout.
    """
    people = {enrolment.contact_id for enrolment in enrolments}
    since = {
        enrolment.pk: guards.get(enrolment.pk, NOTHING_GUARDED).since or enrolment.entered_at
        for enrolment in enrolments
    }
    hashes: dict[UUID, set[bytes]] = defaultdict(set)
    points = ContactPoint.objects.filter(AnyOf(F("contact_id"), list(people)))
    for contact_id, address_hash in points.values_list("contact_id", "address_hash"):
        hashes[contact_id].add(bytes(address_hash))
    tokens = {guard.cart_token for guard in guards.values() if guard.cart_token}
    checkouts = {guard.checkout_id for guard in guards.values() if guard.checkout_id}
    any_of = (
        Q(AnyOf(F("contact_id"), list(people)))
        | Q(address_hash__in=[one for many in hashes.values() for one in many])
        | Q(cart_token__in=tokens)
        | Q(checkout_id__in=checkouts)
    )
    latest = _Latest()
    orders = Order.objects.filter(any_of, occurred_at__gte=min(since.values())).exclude(
        status=Order.Status.CANCELLED
    )
    for order in orders.values_list("contact_id", "address_hash", "cart_token", "checkout_id", "occurred_at"):
        latest.note(*order)
    return {
        enrolment.pk
        for enrolment in enrolments
        if latest.of(
            enrolment.contact_id,
            hashes[enrolment.contact_id],
            guards.get(enrolment.pk, NOTHING_GUARDED),
            since[enrolment.pk],
        )
    }


class _Latest:
    """The newest order seen of each person, address, cart and checkout."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, object], datetime] = {}

    def note(self, contact_id: UUID, address_hash: Any, token: str, checkout: str, at: datetime) -> None:
        address = bytes(address_hash) if address_hash else None
        for key in (("contact", contact_id), ("address", address), ("cart", token), ("checkout", checkout)):
            if key[1]:
                self._at[key] = max(at, self._at.get(key, at))

    def of(self, contact_id: UUID, hashes: set[bytes], guard: Guarded, since: datetime) -> bool:
        keys: list[tuple[str, object]] = [("contact", contact_id)]
        keys += [("address", one) for one in hashes]
        keys += [("cart", guard.cart_token), ("checkout", guard.checkout_id)]
        return any(key in self._at and self._at[key] >= since for key in keys)
