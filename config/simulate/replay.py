"""The replay itself: tell what was recorded, move the clock from due moment to due moment, step the ticks
by hand.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

from django.db import connection

from config.simulate.clickstream import Act, Batch, Purchase, Shop
from config.simulate.servers import LOCALHOST
from crm.kernel import clock
from crm.ticking import run_tick, ticks
from tracking.models import InboundEvent

HOUSEKEEPING = timedelta(hours=1)
PENDING = timedelta(seconds=30)
BROWSERS = 6

AHEAD = """
SELECT
    (SELECT min(GREATEST(c.changed_at, e.last_seen_at)) FROM tracking_cart c
     LEFT JOIN crm_engagement e ON e.contact_id = c.contact_id
     WHERE c.state = 'open' AND c.has_priced_line AND GREATEST(c.changed_at, e.last_seen_at) > %s),
    (SELECT min(d.due_at) FROM campaigns_due d JOIN campaigns_campaign c ON c.id = d.campaign_id
     WHERE d.problem = '' AND c.state = 'running'),
    (SELECT min(not_before) FROM campaigns_delivery WHERE state = 'queued' AND NOT is_held)
"""


@dataclass(frozen=True)
class Ahead:
    """What is known to come: an open cart falls due, somebody in a flow is, a message may leave."""

    cart: datetime | None
    person: datetime | None
    message: datetime | None


@dataclass(frozen=True)
class Doors:
    """Where the product listens, and the keys of the shop."""

    collect_port: int
    web_port: int
    server_key: str


class Refused(RuntimeError):
    """The product did not take what was recorded."""


class Replay:
    def __init__(
        self,
        acts: list[Act],
        shop: Shop,
        doors: Doors,
        delay: timedelta,
        hand: clock.Hand,
        progress: Callable[[datetime, int], None],
    ) -> None:
        self.acts, self.shop, self.doors = acts, shop, doors
        self.delay, self.hand, self.progress = delay, hand, progress
        self.place = 0
        self.requests = self.steps = 0
        self._buys = [act.at for act in acts if act.kind == "buy"]
        self._next_buy = 0
        self._housekept = self._triggered = hand.at
        self._ahead = Ahead(None, None, None)
        self._local = threading.local()

    def run(self) -> None:
        """From the first act to the last message."""
        with ThreadPoolExecutor(BROWSERS) as browsers:
            while at := self._next_moment():
                told, bought = self._tell_until(at, browsers)
                self.hand.set(max(at, self.hand.at))
                self._work(told, bought)
                self.steps += 1
                self.progress(self.hand.at, self.place)

    def _next_moment(self) -> datetime | None:
        """The next purchase, due moment or pending work; never past what an untold act could make due."""
        now = self.hand.at
        moments = [self._next_look(self._ahead.cart)] if self._ahead.cart else []
        if self.place < len(self.acts):
            moments.append(self._next_look(_instant(self.acts[self.place].at) + self.delay))
            if self._next_buy < len(self._buys):
                moments.append(_instant(self._buys[self._next_buy]))
        for pending in (self._ahead.person, self._ahead.message):
            if pending:
                moments.append(pending if pending > now else now + PENDING)
        return min(moments, default=None)

    def _tell_until(self, at: datetime, browsers: ThreadPoolExecutor) -> tuple[int, int]:
        first, until = self.place, at.timestamp()
        while self.place < len(self.acts) and self.acts[self.place].at <= until:
            self.place += 1
        while self._next_buy < len(self._buys) and self._buys[self._next_buy] <= until:
            self._next_buy += 1
        acts = self.acts[first : self.place]
        batches: dict[str, list[Batch]] = {}
        purchases: list[Purchase] = []
        for said in self.shop.tell(acts):
            if isinstance(said, Purchase):
                purchases.append(said)
            else:
                batches.setdefault(said.person, []).append(said)
        # People's browsers speak side by side; each keeps its own order.
        for number in browsers.map(self._collect, batches.values()):
            self.requests += number
        for purchase in purchases:
            self.hand.set(max(_instant(purchase.at), self.hand.at))
            self._order(purchase)
            self.requests += 1
        return len(acts), len(purchases)

    def _work(self, told: int, bought: int) -> None:
        now = self.hand.at
        if told:
            run_tick("tracking.ingest", now)
        if bought:
            run_tick("tracking.bought", now)
        ahead = self._look(self._triggered)
        # The trigger's own beat, left out where no open cart can have fallen due: it would find nothing.
        fell_due = bool(ahead.cart and ahead.cart <= now == self._next_look(now))
        if fell_due:
            run_tick("campaigns.trigger", now)
            self._triggered = now
        if fell_due or (ahead.person and ahead.person <= now):
            run_tick("campaigns.advance", now)
        if fell_due or (ahead.message and ahead.message <= now):
            run_tick("campaigns.deliver", now)
        if now - self._housekept >= HOUSEKEEPING:
            self._housekept = now
            for name in ("campaigns.reap", "campaigns.credit", "tracking.tidy"):
                run_tick(name, now)
            if InboundEvent.objects.exclude(state=InboundEvent.State.APPLIED).exists():
                raise Refused("Rows came in that ingest does not read.")
        self._ahead = self._look(self._triggered)

    def _next_look(self, moment: datetime) -> datetime:
        """The first beat of the trigger from this moment on."""
        every = ticks["campaigns.trigger"].every
        return _instant(-(-moment.timestamp() // every) * every)

    def _look(self, moment: datetime) -> Ahead:
        """What the database knows to come after `moment`."""
        with connection.cursor() as cursor:
            cursor.execute(AHEAD, [moment - self.delay])
            idle_since, person, message = cursor.fetchone()
        return Ahead(idle_since + self.delay if idle_since else None, person, message)

    def _collect(self, batches: Iterable[Batch]) -> int:
        number = 0
        for batch in batches:
            self._post("/c", batch.body, "text/plain", {"X-Rekindle-Replay": self.doors.server_key})
            number += 1
        return number

    def _order(self, purchase: Purchase) -> None:
        door = HTTPConnection(LOCALHOST, self.doors.web_port, timeout=30)
        try:
            door.request(
                "POST",
                "/api/v1/orders",
                json.dumps(purchase.body),
                {
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {self.doors.server_key}",
                    "X-Rekindle-Replay": self.doors.server_key,
                },
            )
            _read(door, "/api/v1/orders")
        finally:
            door.close()

    def _post(self, path: str, body: object, kind: str, headers: dict[str, str]) -> None:
        door = getattr(self._local, "door", None)
        if door is None:
            door = self._local.door = HTTPConnection(LOCALHOST, self.doors.collect_port, timeout=30)
        door.request("POST", path, json.dumps(body), {"Content-Type": kind, **headers})
        _read(door, path)


def _read(door: HTTPConnection, path: str) -> None:
    answer = door.getresponse()
    words = answer.read(2000)
    # The collector's 200 tells of events in the batch that were refused: a replay must lose nothing.
    if answer.status != (204 if path == "/c" else 200):
        raise Refused(f"{path} answered {answer.status}: {words.decode(errors='replace')}")


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
