"""Taking messages out of the queue under a lease, and back again when their sender is gone or gives up."""

import os
import socket
from collections.abc import Collection, Sequence
from datetime import datetime
from threading import get_native_id

from django.conf import settings
from django.db import connection

from campaigns.delivery.channels.base import channels
from campaigns.delivery.settling import MOST_ATTEMPTS
from campaigns.delivery.statements import run
from campaigns.models import Delivery

_FIELDS = [field for field in Delivery._meta.concrete_fields if field.name != "context"]
_NAMES = [field.attname for field in _FIELDS]
_COLUMNS = ", ".join(f"campaigns_delivery.{field.column}" for field in _FIELDS)

# The lock in the inner select lets many senders take different rows at the same moment; the array keeps the
# planner from running it again for each row.
_CLAIM = f"""
UPDATE campaigns_delivery
SET state = 'claimed', lease_token = nextval('campaigns_delivery_lease_seq'), claimed_by = %(worker)s,
    lease_until = clock_timestamp() + make_interval(secs => %(seconds)s::float8)
WHERE id = ANY (ARRAY(
    SELECT id FROM campaigns_delivery
    WHERE state = 'queued' AND NOT is_held AND not_before <= %(now)s::timestamptz AND channel = %(channel)s
    ORDER BY priority, not_before, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)) AND NOT EXISTS (SELECT 1 FROM campaigns_sendingcontrol WHERE sending_hold)
RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_PUT_BACK = """
UPDATE campaigns_delivery SET state = 'queued', reason = ''
FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[]) AS mine(mine_id, mine_token)
WHERE id = mine_id AND lease_token = mine_token AND state = ANY (%(states)s::text[])
RETURNING id, lease_token
"""

_END_ATTEMPTS = """
UPDATE campaigns_deliveryattempt SET ended_at = %(now)s::timestamptz, result = 'not_sent'
WHERE lease_token = ANY (%(tokens)s::bigint[]) AND ended_at IS NULL
"""


def worker_name() -> str:
    """Who holds a lease, as an operator reads it: machine, process and thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{get_native_id()}"[:80]


def claim(channel: str, now: datetime, limit: int) -> list[Delivery]:
    """Lease up to `limit` due messages of a channel, the most urgent first, under tokens that only grow."""
    rows = run(
        _CLAIM,
        {
            "channel": channel,
            "now": now,
            "limit": limit,
            "worker": worker_name(),
            "seconds": settings.REKINDLE_LEASE_SECONDS,
        },
        prepared=False,  # for fifty of a hundred thousand it is another plan than for fifty of a hundred
    )
    claimed = [Delivery.from_db(connection.alias, _NAMES, row) for row in rows]
    return sorted(claimed, key=lambda delivery: (delivery.priority, delivery.not_before, delivery.id))


def put_back(deliveries: Collection[Delivery], now: datetime, *, maybe_fenced: bool = False) -> int:
    """Return to the queue what was certainly not sent and is still ours; returns how many.

    `maybe_fenced`: the fence itself failed; its commit may stand, and nothing followed it.
    """
    values: dict[str, Sequence[object]] = {
        "ids": [delivery.id for delivery in deliveries],
        "tokens": [delivery.lease_token for delivery in deliveries],
        "states": ["claimed", "sending"] if maybe_fenced else ["claimed"],
    }
    rows = run(_PUT_BACK, values)
    run(_END_ATTEMPTS, {"tokens": [token for _, token in rows], "now": now})
    return len(rows)


def reap() -> int:
    """End the leases of senders that died: claimed goes back, sending is parked; or goes back as well, where
    the receiver knows a repetition when it sees one. Returns how many.
    """
    back = run(
        "UPDATE campaigns_delivery SET state = 'queued' "
        "WHERE state = 'claimed' AND lease_until < clock_timestamp() RETURNING id",
        {},
    )
    back += run(
        "UPDATE campaigns_delivery SET state = 'queued', reason = 'sender_died' WHERE state = 'sending' "
        "AND lease_until < clock_timestamp() AND channel = ANY (%(media)s::text[]) "
        "AND attempts < %(most)s RETURNING id",
        {"media": [channel.sends for channel in channels if channel.repeats], "most": MOST_ATTEMPTS},
    )
    parked = run(
        "UPDATE campaigns_delivery SET state = 'unknown', reason = 'sender_died' "
        "WHERE state = 'sending' AND lease_until < clock_timestamp() RETURNING id",
        {},
    )
    return len(back) + len(parked)
