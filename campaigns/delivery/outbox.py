"""The outbox: the one way in for messages, the one loop that sends them. PostgreSQL alone holds the truth."""

from collections.abc import Callable, Iterable
from datetime import datetime

from campaigns.delivery.channels import email, webhook  # noqa: F401 - they make themselves known
from campaigns.delivery.channels.base import channels, wake
from campaigns.delivery.claiming import reap
from campaigns.delivery.holding import hold, release
from campaigns.delivery.resolving import resolve
from campaigns.delivery.sending import Counts, Run
from campaigns.delivery.turns import Turn
from campaigns.models import Delivery
from crm.kernel.work import Budget, in_batches
from crm.models.writing import insert_rows

__all__ = ["Counts", "deliver", "enqueue", "hold", "reap", "release", "resolve"]

_CHUNK = 1_000

_turns: dict[str, Turn] = {}


def enqueue(deliveries: Iterable[Delivery]) -> int:
    """Put messages into the queue, within the caller's transaction. One that is there already stays as it is.

    Returns how many are new. Call it in the transaction of the cause, so that both happen or neither.
    """
    new = 0
    media = set()
    # In the order of their keys, so that two callers with the same messages never wait in a circle.
    for chunk in in_batches(sorted(deliveries, key=lambda delivery: delivery.dedupe_key), _CHUNK):
        media |= {delivery.channel for delivery in chunk}
        new += insert_rows(chunk, ignore_conflicts=True)
    if new:
        wake(media)
    return new


def deliver(
    now: Callable[[], datetime], budget: Budget, *, limit: int | None = None, tick: str = ""
) -> Counts:
    """Claim, prepare, fence, send and settle until nothing is due or the budget is spent.

    Any number of processes may do this at once. `now` is asked again and again; `limit` bounds the claims.
    With a `tick` only over the channels that are that job's.
    """
    counts = Counts()
    for channel in channels:
        if tick and channel.tick != tick:
            continue
        turn = _turns.setdefault(channel.key, Turn())
        run = Run(channel, now, budget, limit, turn)
        if not turn.take(run):
            continue
        try:
            counts.update(run.go())
        finally:
            turn.end(run)
    return counts
