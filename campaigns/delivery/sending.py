"""One run of sending over one channel: claim, prepare, fence, send, settle, until nothing is due."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from django.db import connection

from campaigns.delivery.barriers import barrier
from campaigns.delivery.channels.base import Channel
from campaigns.delivery.channels.letters import Ending, Keyed, Outcome
from campaigns.delivery.claiming import claim, put_back
from campaigns.delivery.fencing import fence, refusals
from campaigns.delivery.guards import Verdict
from campaigns.delivery.preparing import prepared
from campaigns.delivery.settling import of_outcome, of_refusals, settle
from campaigns.delivery.statements import LOST, forget_connection, insist
from campaigns.delivery.turns import Turn
from campaigns.models import Delivery
from crm.kernel.work import Budget

logger = logging.getLogger(__name__)

BATCH = 50


def _id(thing: Keyed) -> int:
    assert isinstance(thing.key, int)
    return thing.key


class Counts(Counter[str]):
    """How many were claimed, and how many ended in which state."""


class Run:
    """The messages in hand of one sender. Whatever it claimed and cannot end, it puts back."""

    def __init__(
        self, channel: Channel, now: Callable[[], datetime], budget: Budget, limit: int | None, turn: Turn
    ) -> None:
        self.channel = channel
        self.now = now
        self.budget = budget
        self.limit = limit
        self.turn = turn
        self.provider = channel.provider()
        self.counts = Counts()
        self._mine: dict[int, Delivery] = {}
        self._again: list[Delivery] = []  # claimed anew under a lease that ran out while we had the message
        self._in_doubt: set[int] = set()  # the fence's own commit may or may not stand; nothing was sent
        self._held = False

    def go(self) -> Counts:
        transport = self.channel.open()
        try:
            for known in transport.run(self._letters(), self._fence):
                self._note(known)
        finally:
            transport.close()
            # What was fenced and has no known end is not among these: only the reaper may end it.
            self._give_back(list(self._mine.values()))
            self._give_back(self._again)
        return self.counts

    def _may_feed(self) -> bool:
        return bool(self.budget) and not self._held

    def _letters(self) -> Iterator[Keyed]:
        try:
            while self._may_feed():
                batch = self._next_batch()
                if not batch and (not self._may_feed() or self._room() <= 0 or self.turn.done_feeding(self)):
                    return
                for place, letter in enumerate(batch):
                    if not self._may_feed():
                        self._give_back([self._mine[_id(rest)] for rest in batch[place:]])
                        return
                    yield letter
        finally:
            self.turn.stop_feeding(self)

    def _room(self) -> int:
        return BATCH if self.limit is None else min(BATCH, self.limit - self.counts["claimed"])

    def _next_batch(self) -> list[Keyed]:
        """Claimed, not blocked, and made. Empty when nothing is due."""
        while self._may_feed() and self._room() > 0:
            claimed = claim(self.channel.sends, self.now(), self._room())
            if not claimed:
                break
            # A process that slept past its leases meets its own messages in the queue. What it still has in
            # hand ends at the fence, under the old lease; the new one goes back for the next run.
            self._again += [delivery for delivery in claimed if delivery.id in self._mine]
            claimed = [delivery for delivery in claimed if delivery.id not in self._mine]
            self.counts["claimed"] += len(claimed)
            self._mine |= {delivery.id: delivery for delivery in claimed}
            barrier("claimed", claimed)
            # Asked here as well as at the fence, so that a refusal rarely costs a rendering and a connection.
            blocked = self._turn_back(claimed)
            letters = self._make([delivery for delivery in claimed if delivery.id not in blocked])
            if letters:
                return letters
        return []

    def _make(self, deliveries: Sequence[Delivery]) -> list[Keyed]:
        if not deliveries:
            return []
        now = self.now()
        ready, problems = prepared(deliveries, now, self.channel.make)
        if problems:
            self._count(settle(problems, now))
            self._forget(problem.delivery.id for problem in problems)
        made = [delivery for delivery in deliveries if delivery.id in ready]
        barrier("rendered", made)
        return [self.channel.letter(delivery.id, ready[delivery.id]) for delivery in made]

    def _fence(self, letters: Sequence[Keyed]) -> Collection[int]:
        waiting = [self._mine[_id(letter)] for letter in letters]
        barrier("fence", waiting)
        try:
            granted = fence(waiting, self.now())
        except LOST as error:
            if connection.in_atomic_block:
                raise
            logger.warning(
                "The database went away during the fence, nothing was sent: %s", str(error).strip()
            )
            self._in_doubt |= {delivery.id for delivery in waiting}
            forget_connection()
            return ()
        barrier("fenced", [delivery for delivery in waiting if delivery.id in granted])
        return granted

    def _note(self, known: Sequence[Outcome]) -> None:
        now = self.now()
        ends = [(self._mine[_id(outcome)], outcome) for outcome in known]
        barrier("replied", [delivery for delivery, outcome in ends if outcome.fenced])
        refused, in_doubt, settlements = [], [], []
        for delivery, outcome in ends:
            if delivery.id in self._in_doubt:
                in_doubt.append(delivery)
            elif outcome.ending is Ending.NOT_FENCED:
                refused.append(delivery)
            else:
                took = self.channel.took(outcome)
                settlements.append(of_outcome(delivery, outcome, self.provider, now, took))
        if settlements:
            self._count(insist(lambda: settle(settlements, now), "What became of messages"))
            self._forget(one.delivery.id for one in settlements)
        if refused:
            known_why = insist(lambda: self._turn_back(refused), "Why messages were not sent")
            self._give_back([delivery for delivery in refused if delivery.id not in known_why])
        self._give_back(in_doubt, maybe_fenced=True)

    def _turn_back(self, deliveries: Sequence[Delivery]) -> set[int]:
        """Settle those that a guard blocks; returns which."""
        now = self.now()
        found = refusals(deliveries, now)
        if not found:
            return set()
        self._held = self._held or any(one.guard.verdict is Verdict.HOLD for one in found)
        self._count(settle(of_refusals(found, self._mine, now), now))
        blocked = {one.delivery_id for one in found}
        self._forget(blocked)
        return blocked

    def _give_back(self, deliveries: Sequence[Delivery], *, maybe_fenced: bool = False) -> None:
        if deliveries:
            insist(
                lambda: put_back(deliveries, self.now(), maybe_fenced=maybe_fenced), "Messages to be put back"
            )
            self._forget(delivery.id for delivery in deliveries)

    def _count(self, states: dict[int, str]) -> None:
        self.counts.update(states.values())

    def _forget(self, ids: Collection[int] | Iterator[int]) -> None:
        for delivery_id in list(ids):
            self._mine.pop(delivery_id, None)
            self._in_doubt.discard(delivery_id)
