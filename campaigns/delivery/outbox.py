"""The outbox: the one way in for messages, the one loop that sends them. PostgreSQL alone holds the truth."""

from collections.abc import Callable, Iterable
from datetime import datetime

from campaigns.delivery.channels import email  # noqa: F401 - makes itself known
from campaigns.delivery.channels.base import channels
from campaigns.delivery.claiming import reap
from campaigns.delivery.holding import hold, release
from campaigns.delivery.resolving import resolve
from campaigns.delivery.sending import Counts, Run
from campaigns.delivery.turns import Turn
from campaigns.models import Delivery
from crm.kernel.work import Budget, in_batches
from crm.ticking import ring

__all__ = ["Counts", "deliver", "enqueue", "hold", "reap", "release", "resolve"]

_CHUNK = 1_000

_turns: dict[str, Turn] = {}


def enqueue(deliveries: Iterable[Delivery]) -> int:
    """Put messages into the queue, within the caller's transaction. One that is there already stays as it is.

    Returns how many are new. Call it in the transaction of the cause, so that both happen or neither.
    """
    new = 0
    # In the order of their keys, so that two callers with the same messages never wait in a circle.
    for chunk in in_batches(sorted(deliveries, key=lambda delivery: delivery.dedupe_key), _CHUNK):
        Delivery.objects.bulk_create(chunk, ignore_conflicts=True)
        new += Delivery.objects.filter(public_id__in=[delivery.public_id for delivery in chunk]).count()
    if new:
        ring("campaigns.deliver")
    return new


def deliver(now: Callable[[], datetime], budget: Budget, *, limit: int | None = None) -> Counts:
    """Claim, prepare, fence, send and settle until nothing is due or the budget is spent.

    Any number of processes may do this at once. `now` is asked again and again; `limit` bounds the claims.
    """
    counts = Counts()
    for channel in channels:
        turn = _turns.setdefault(channel.key, Turn())
        run = Run(channel, now, budget, limit, turn)
        if not turn.take(run):
            continue
        try:
            counts.update(run.go())
        finally:
            turn.end(run)
    return counts
