"""May we write to this address, on this channel, for this purpose? One SQL answers: counts, enqueue, fence.

Marketing and tracking need consent and no suppression. Transactional needs neither, but stops at a bounce
for good and at an erasure. What cannot be found out means no.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import (
    BinaryField,
    Case,
    CharField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from crm.models import ConsentEvent, ConsentState, Purpose, Suppression
from crm.people.deriving import LIFTABLE, STOPS_ALL, Derived, derive

NO_CONSENT = "no_consent"
NO_PURPOSE = "purpose_inactive"

REASONS = {
    NO_CONSENT: "has not agreed to it",
    NO_PURPOSE: "this purpose is switched off",
    Suppression.Reason.UNSUBSCRIBED: "has unsubscribed",
    Suppression.Reason.COMPLAINED: "has complained about our mail",
    Suppression.Reason.HARD_BOUNCE: "the address does not exist (any more)",
    Suppression.Reason.ERASED: "has been erased",
    Suppression.Reason.STAFF: "was stopped by a colleague",
    Suppression.Reason.IMPORTED: "is on an imported suppression list",
}
"""Each reason code in words that follow a name."""


def allowed(hash_expr: Any, channel_expr: Any, purpose_expr: Any) -> Q:
    """A filter for rows whose address may be written to.

    Each argument is the name of a field of the row that is filtered, or an expression: `Value(...)`, or
    `OuterRef(...)` of an enclosing query. The purpose is its primary key.
    """
    asked = _Asked(hash_expr, channel_expr, purpose_expr)
    consented = Q(asked.consented) & ~Q(asked.stopped)
    return Q(asked.active) & ~Q(asked.dead) & (Q(asked.transactional) | consented)


def allowed_for(hash_expr: Any, channel_expr: Any, purpose: Purpose) -> Q:
    """`allowed` for a purpose at hand: the same answer, with nothing asked that is known already."""
    asked = _Asked(hash_expr, channel_expr, Value(purpose.pk))
    if not purpose.is_active:
        return Q(pk__in=[])
    if purpose.kind == Purpose.Kind.TRANSACTIONAL:
        return ~Q(asked.dead)
    # Stops of the one purpose and stops of all apart: the many of the former are then read off an index, and
    # none is asked what could lift it. Whoever is dead is stopped for all.
    return Q(asked.consented) & ~Exists(asked.own_stop_rows) & ~Exists(asked.general_stop_rows)


def standing_consents() -> QuerySet[ConsentState]:
    """Consents that nothing stops: what `allowed` says of an address, a channel and a purpose that needs
    consent, whether the purpose is switched on or not.
    """
    asked = _Asked("address_hash", "channel", "purpose")
    stopped = Exists(asked.own_stop_rows) | Exists(asked.general_stop_rows)
    return ConsentState.objects.filter(~stopped, may_send=True)


def refusal_reason(hash_expr: Any, channel_expr: Any, purpose_expr: Any) -> Case:
    """An annotation: the code of why not (a key of REASONS), or an empty text where it is allowed."""
    asked = _Asked(hash_expr, channel_expr, purpose_expr)
    return Case(
        When(~Q(asked.active), then=Value(NO_PURPOSE)),
        When(Q(asked.dead), then=Subquery(asked.dead_rows.values("reason")[:1])),
        When(Q(asked.transactional), then=Value("")),
        When(Q(asked.stopped), then=Subquery(asked.stop_rows.order_by("since").values("reason")[:1])),
        When(~Q(asked.consented), then=Value(NO_CONSENT)),
        default=Value(""),
        output_field=CharField(),
    )


def may_send(
    address_hash: bytes, channel: str, purpose_key: str, at: datetime | None = None
) -> tuple[bool, str]:
    """Whether, and if not, the code of why not: as it is now, or as it was and was known at an instant."""
    if at is not None:
        return _may_have_sent(address_hash, channel, purpose_key, at)
    why = refusal_reason(Value(address_hash, BinaryField()), Value(channel), "pk")
    answer = Purpose.objects.filter(key=purpose_key).annotate(why=why).values_list("why", flat=True).first()
    if answer is None:
        return False, NO_PURPOSE
    return answer == "", answer


class _Asked:
    """The questions behind the answer, as subqueries of the row they are asked of."""

    def __init__(self, hash_expr: Any, channel_expr: Any, purpose_expr: Any) -> None:
        address, channel, purpose = (_outer(expr) for expr in (hash_expr, channel_expr, purpose_expr))
        purposes = Purpose.objects.filter(pk=purpose)
        states = ConsentState.objects.filter(
            address_hash=address, channel=channel, purpose=purpose, may_send=True
        )
        stops = Suppression.objects.filter(address_hash=address, channel=channel)
        agreed_since = ConsentState.objects.filter(
            address_hash=_deeper(address),
            channel=_deeper(channel),
            purpose=_deeper(purpose),
            may_send=True,
            since__gte=OuterRef("since"),
        )
        # A stop without an event was set by hand: nothing that is said lifts it.
        lifted = Q(purpose__isnull=True, reason__in=LIFTABLE, source_event__isnull=False) & Exists(
            agreed_since
        )
        self.active = Exists(purposes.filter(is_active=True))
        self.transactional = Exists(purposes.filter(kind=Purpose.Kind.TRANSACTIONAL))
        self.consented = Exists(states)
        self.dead_rows = stops.filter(purpose__isnull=True, reason__in=STOPS_ALL)
        self.dead = Exists(self.dead_rows)
        self.stop_rows = stops.filter(Q(purpose=purpose) | Q(purpose__isnull=True)).exclude(lifted)
        self.own_stop_rows = stops.filter(purpose=purpose)
        self.general_stop_rows = stops.filter(purpose__isnull=True).exclude(lifted)
        self.stopped = Exists(self.stop_rows)


def _outer(expr: Any) -> Any:
    """A field of the row that is filtered, seen from a subquery: F would name the subquery's own column."""
    if isinstance(expr, str):
        return OuterRef(expr)
    if isinstance(expr, OuterRef):
        return OuterRef(expr)
    if isinstance(expr, F):
        return OuterRef(expr.name)  # type: ignore[attr-defined]
    if hasattr(expr, "resolve_expression") and not isinstance(expr, Value):
        raise TypeError("name a field of the row, or give a value or an OuterRef: nothing made of fields")
    return expr


def _deeper(expr: Any) -> Any:
    return OuterRef(expr) if isinstance(expr, OuterRef) else expr


def _may_have_sent(address_hash: bytes, channel: str, purpose_key: str, at: datetime) -> tuple[bool, str]:
    purposes = {purpose.pk: purpose for purpose in Purpose.objects.all()}
    purpose = next((kept for kept in purposes.values() if kept.key == purpose_key), None)
    if purpose is None or not purpose.is_active:
        return False, NO_PURPOSE
    events = ConsentEvent.objects.filter(address_hash=address_hash, occurred_at__lte=at, recorded_at__lte=at)
    derived = derive(events, purposes)
    stops = Suppression.objects.filter(address_hash=address_hash, channel=channel, since__lte=at)
    elsewhere = stops.exclude(source_event__address_hash=address_hash)
    reason = _refusal(derived, elsewhere, channel, purpose)
    return reason == "", reason


def _refusal(derived: Derived, elsewhere: Iterable[Suppression], channel: str, purpose: Purpose) -> str:
    stand = derived.stands.get((channel, purpose.pk))
    agreed = stand is not None and stand.may_send
    said = [
        (stop.since, stop.reason, where)
        for (on, where), stop in derived.stops.items()
        if on == channel and where in (None, purpose.pk)
    ]
    by_hand = [(row.since, row.reason, row.purpose_id) for row in elsewhere]
    by_hand = [stop for stop in by_hand if stop[2] in (None, purpose.pk)]
    dead = [reason for _, reason, where in [*said, *by_hand] if where is None and reason in STOPS_ALL]
    if dead:
        return dead[0]
    if purpose.kind == Purpose.Kind.TRANSACTIONAL:
        return ""
    standing = [
        stop
        for stop in said
        if not (stop[2] is None and stop[1] in LIFTABLE and agreed and stand and stand.since >= stop[0])
    ]
    stopped = sorted([*standing, *by_hand], key=lambda stop: stop[0])
    if stopped:
        return stopped[0][1]
    return "" if agreed else NO_CONSENT
