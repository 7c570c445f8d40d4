"""The fence: leave to send, committed as the last act before the irreversible byte; and why it was refused.

One statement gives leave to all messages that wait at the same moment. It re-checks every guard, the lease
and its token, and writes the attempt; when it returns, it is on disk. Messages that count in the frequency
limits take turns person by person, so that each sees what left before it.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db import transaction

from campaigns.delivery.guards import Guard
from campaigns.delivery.questions import Asked, all_guards
from campaigns.delivery.statements import run
from campaigns.models import Delivery

_TURNS = 0x46656E  # advisory locks of this module; the second key is a part of the contact's id
_LOCKS = 2**31
_TAKE_TURNS = """
SELECT pg_advisory_xact_lock(%(space)s::int, turn) FROM unnest(%(turns)s::int[]) AS turn
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guard that blocks one claimed delivery."""

    delivery_id: int
    guard: Guard
    reason: str
    again_at: datetime | None


def fence(deliveries: Sequence[Delivery], now: datetime) -> set[int]:
    """Commit leave for those that nothing blocks; returns their ids. All others must not be sent."""
    turns = sorted({_turn(delivery) for delivery in deliveries if delivery.counts})
    if not turns:
        return _leave(deliveries, now)
    granted: set[int] = set()
    with transaction.atomic():
        run(_TAKE_TURNS, {"space": _TURNS, "turns": turns})
        for one_a_person in _rounds(deliveries):
            granted |= _leave(one_a_person, now)
    return granted


def _leave(deliveries: Sequence[Delivery], now: datetime) -> set[int]:
    rows = run(
        _fence_statement(all_guards()),
        {
            "ids": [delivery.id for delivery in deliveries],
            "tokens": [delivery.lease_token for delivery in deliveries],
            "now": now,
            "seconds": settings.REKINDLE_SENDING_SECONDS,
        },
    )
    return {row[0] for row in rows}


def _turn(delivery: Delivery) -> int:
    return delivery.contact_id.int % _LOCKS if delivery.contact_id else 0


def _rounds(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """The same in as few parts as it takes for no part to hold two messages to one person."""
    rounds: list[list[Delivery]] = []
    met: dict[object, int] = defaultdict(int)
    for delivery in deliveries:
        place = met[delivery.contact_id] if delivery.counts else 0
        met[delivery.contact_id] += delivery.counts
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(delivery)
    return rounds


def refusals(deliveries: Collection[Delivery], now: datetime) -> list[Refusal]:
    """Which of these claimed deliveries are blocked, by which guard first, and when to ask again."""
    asked = all_guards()
    rows = run(
        _why_statement(asked),
        {
            "ids": [delivery.id for delivery in deliveries],
            "tokens": [delivery.lease_token for delivery in deliveries],
            "now": now,
        },
    )
    return [
        Refusal(delivery_id, asked[number].guard, reason, again_at)
        for delivery_id, number, reason, again_at in rows
        if number is not None
    ]


@lru_cache(maxsize=4)
def _fence_statement(asked: tuple[Asked, ...]) -> str:
    """Found by their ids and by nothing else: statistics know of hardly any claimed row, so an index of those
    looks best, and every guard would be asked about all that are claimed. No index has `coalesce`.
    """
    unblocked = "\n".join(f"AND {one.blocks} IS NOT TRUE" for one in asked)
    return f"""
    WITH durable AS MATERIALIZED (
        SELECT set_config('synchronous_commit', 'on', true)
    ), fenced AS (
        UPDATE campaigns_delivery
        SET state = 'sending', fenced_at = %(now)s::timestamptz, attempts = attempts + 1, reason = '',
            lease_until = clock_timestamp() + make_interval(secs => %(seconds)s::float8)
        FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[]) AS waiting(waiting_id, waiting_token), durable
        WHERE campaigns_delivery.id = waiting_id AND campaigns_delivery.lease_token = waiting_token
        AND coalesce(campaigns_delivery.state, '') = 'claimed'
        AND campaigns_delivery.lease_until > clock_timestamp()
        {unblocked}
        RETURNING campaigns_delivery.id AS fenced_id, lease_token, fenced_at, message_sha256
    )
    INSERT INTO campaigns_deliveryattempt
        (delivery_id, lease_token, fenced_at, message_sha256, result, response)
    SELECT fenced_id, lease_token, fenced_at, message_sha256, '', '' FROM fenced
    RETURNING delivery_id
    """  # noqa: S608 - the guards' own conditions


@lru_cache(maxsize=4)
def _why_statement(asked: tuple[Asked, ...]) -> str:
    first = " ".join(f"WHEN {one.blocks} THEN {number}" for number, one in enumerate(asked))
    reasons = " ".join(f"WHEN {number} THEN {one.reason}" for number, one in enumerate(asked))
    moments = " ".join(f"WHEN {number} THEN {one.again_at}" for number, one in enumerate(asked))
    return f"""
    WITH asked AS MATERIALIZED (
        SELECT campaigns_delivery.id AS asked_id, CASE {first} END AS number
        FROM campaigns_delivery
        JOIN unnest(%(ids)s::bigint[], %(tokens)s::bigint[]) AS claimed(claimed_id, claimed_token)
            ON campaigns_delivery.id = claimed_id AND campaigns_delivery.lease_token = claimed_token
        WHERE campaigns_delivery.state = 'claimed'
    )
    SELECT asked_id, number, CASE number {reasons} END, CASE number {moments} END
    FROM asked JOIN campaigns_delivery ON campaigns_delivery.id = asked_id
    """  # noqa: S608 - the guards' own conditions
