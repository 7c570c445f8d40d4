"""Time in a shop with all plays on: what was recorded is told, the scheduled jobs are stepped by hand, and
readers answer some of the letters.

At each step the program first decides whom to write to; a minute of the recording later it sends. So people
buy, and goods run out, between the decision and the sending all the time.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import connection

from campaigns.models import Campaign, Due
from config.simulate import clickstream
from config.simulate.clickstream import Batch, Purchase, Shop
from config.simulate.plays.asking import Outside
from config.simulate.plays.notes import Notes, share
from config.simulate.plays.recordings import Recording, Said
from config.simulate.plays.shelf import DAY, HOUR, Change
from config.simulate.replay import BROWSERS, Doors, Refused
from config.simulate.sink import Arrival, Sink
from crm.kernel import clock, ids
from crm.ticking import run_tick

DECIDE = ("crm.standing", "crm.segments", "crm.leads", "campaigns.trigger", "campaigns.advance")
SEND = ("tracking.ingest", "campaigns.deliver", "campaigns.notices")
KEPT = (
    *("crm.statuses", "campaigns.codes", "campaigns.coupons", "campaigns.reap", "campaigns.credit"),
    "tracking.tidy",
)
EACH_DAY = ("crm.rhythm", "campaigns.recommend", "campaigns.winners")
BEFORE_SENDING = 60
CLICKS, STOPS = 0.25, 0.01
AHEAD = """
SELECT LEAST(
    (SELECT min(d.due_at) FROM campaigns_due d JOIN campaigns_campaign c ON c.id = d.campaign_id
     WHERE d.problem = '' AND c.state = 'running'),
    (SELECT min(not_before) FROM campaigns_delivery WHERE state = 'queued' AND NOT is_held))
"""


class Drive:
    """One run from before the first act until `rest_days` after the last."""

    def __init__(
        self,
        recording: Recording,
        shop: Shop,
        said: Said,
        doors: Doors,
        notes: Notes,
        sink: Sink,
        hand: clock.Hand,
        rest_days: int,
        progress: Callable[[datetime, int], None],
    ) -> None:
        self.recording, self.shop, self.said, self.notes = recording, shop, said, notes
        self.outside = Outside(doors)
        self.sink, self.hand, self.progress = sink, hand, progress
        self.until = recording.ends + rest_days * DAY
        self.requests = self.steps = 0
        self._kept = {recording.keeps: 0, DAY: 0}
        self._read = 0
        self._answers: list[tuple[int, int, Callable[[], None]]] = []

    def run(self) -> None:
        with ThreadPoolExecutor(BROWSERS) as browsers:
            at = self._now()
            while at <= self.until:
                self._step(at, browsers)
                self.progress(self.hand.at, len(self.sink.arrivals))
                at = self._next()
        self._is_sound()

    def _step(self, at: int, browsers: ThreadPoolExecutor) -> None:
        self._tell(at, browsers)
        run_tick("tracking.ingest", self.hand.at)
        run_tick("tracking.bought", self.hand.at)
        for every, names in ((self.recording.keeps, KEPT), (DAY, EACH_DAY)):
            if at // every > self._kept[every]:
                self._kept[every] = at // every
                for name in names:
                    run_tick(name, self.hand.at)
        for name in DECIDE:
            run_tick(name, self.hand.at)
        self._tell(at + BEFORE_SENDING, browsers)
        for name in SEND:
            run_tick(name, self.hand.at)
        for arrival in self.sink.arrivals[self._read :]:
            self._answer(arrival)
        self._read = len(self.sink.arrivals)
        self.steps += 1

    def _next(self) -> int:
        """The next step: the next beat at which something was said or is due; at the latest in a few hours,
        for somebody may fall due without either: who was not here for long, whose order is a year ago.
        """
        now, said = self._now(), self.recording.next_at()
        with connection.cursor() as cursor:
            cursor.execute(AHEAD)
            due = cursor.fetchone()[0]
        moments = [
            said,
            self._answers[0][0] if self._answers else None,
            int(due.timestamp()) if due else None,
        ]
        known = [moment for moment in moments if moment is not None]
        if said is not None and not due:
            return self._beat(max(min(known), now + 1), self.recording.every)
        rest = self._beat(now + 1, self.recording.rests)
        every = self.recording.every if said is not None else self.recording.rests // 4
        return min(self._beat(max(min(known, default=rest), now + 1), every), rest)

    def _beat(self, at: int, every: int) -> int:
        """The first beat from this moment on."""
        past = self.recording.past
        return -(-(at - past) // every) * every + past

    def _tell(self, until: int, browsers: ThreadPoolExecutor) -> None:
        """What shelves, browsers, readers and the shop's server say until then."""
        while self._answers and self._answers[0][0] <= until:
            at, _, answer = heapq.heappop(self._answers)
            self._set(at)
            answer()
        batches: dict[str, list[Batch]] = {}
        orders: list[Purchase] = []
        first_seen: dict[str, int] = {}
        for said in self.recording.said(self.shop, until):
            if isinstance(said, Purchase):
                orders.append(said)
            else:
                first_seen.setdefault(said.person, said.body["e"][0]["at"] // 1000)
                batches.setdefault(said.person, []).append(said)
        for number in browsers.map(self._collect, batches.values()):
            self.requests += number
        self._stock(self.recording.changes(until), until)
        self._set(until)
        self._sign(first_seen)
        self.serve("orders", [order.body for order in orders])

    def _sign(self, first_seen: dict[str, int]) -> None:
        """Whoever is new fills in the shop's form, and its server tells what they agreed to."""
        bodies = []
        for person, at in first_seen.items():
            if person in self.notes.agreed:
                continue
            purposes = self.said.signs(person)
            self.notes.agreed[person] = (at, set(purposes))
            moment = datetime.fromtimestamp(at, tz=UTC).isoformat()
            consents = [
                {
                    "purpose": purpose,
                    "action": "granted",
                    "at": moment,
                    "wording": clickstream.WORDINGS[purpose],
                    "locale": "en",
                    "form": "sign-up",
                }
                for purpose in purposes
            ]
            bodies.append({"id": person, "email": clickstream.email(person), "consents": consents})
        self.serve("contacts", bodies)

    def _stock(self, changes: list[Change], until: int) -> None:
        """The shop's server tells of its goods; the last word on each counts."""
        if not changes:
            return
        self._set(until)
        now = self._now()
        said: dict[str, dict[str, Any]] = {}
        for change in changes:
            body = said.setdefault(change.item, self._goods(change.item, now))
            if change.can_be_bought is not None:
                body["in_stock"] = change.can_be_bought
            if change.price is not None:
                body["price"] = str(change.price)
        for item, body in said.items():
            if "in_stock" in body:
                self.notes.stock[item].append((now, body["in_stock"]))
            if "price" in body:
                self.notes.prices[item].append((now, float(body["price"])))
        self.serve("products", list(said.values()))

    def _goods(self, item: str, now: int) -> dict[str, Any]:
        return {
            "id": item,
            "name": self.said.name(item),
            "url": f"{clickstream.SHOP}/p/{item}",
            "currency": self.recording.currency,
            "updated_at": datetime.fromtimestamp(now, tz=UTC).isoformat(),
        }

    def _answer(self, arrival: Arrival) -> None:
        """Some readers click within hours and look around; a few stop these messages."""
        person = arrival.to.partition("@")[0].removeprefix("user")
        at = int(arrival.at.timestamp())
        name = (person, at)
        if share("stops", *name) < STOPS:
            letter = message_from_bytes(arrival.raw, policy=policy.default)
            link = str(letter["List-Unsubscribe"]).strip("<>")
            sender = str(letter["From"].addresses[0].addr_spec)
            self._later(
                at + 60 + int(share("stops after", *name) * HOUR), lambda: self._stop(person, sender, link)
            )
        elif share("clicks", *name) < CLICKS:
            links = re.findall(r"https?://[^\s<>\"]+/k/[^\s<>\"]+", text_of(arrival.raw))
            if links:
                when = at + 60 + int(share("clicks after", *name) ** 3 * 20 * HOUR)
                self._later(when, lambda: self._click(person, links[0]))

    def _later(self, at: int, answer: Callable[[], None]) -> None:
        heapq.heappush(self._answers, (at, len(self._answers) + self.requests, answer))

    def _stop(self, person: str, sender: str, link: str) -> None:
        self.outside.stop(urlsplit(link).path)
        purpose = next(play.purpose for play in self.notes.plays if play.sender == sender)
        self.notes.stopped.setdefault((person, purpose), self._now())

    def _click(self, person: str, link: str) -> None:
        parts = urlsplit(link)
        target = self.outside.follow(f"{parts.path}?{parts.query}".rstrip("?"))
        now = self._now()
        self.notes.clicked[person].append(now)
        landed = parse_qs(urlsplit(target).query).get("rk", [""])[0]
        did: list[tuple[str, int, dict[str, str]]] = [("page", now + 20, {"title": "News"})]
        if landed:
            did.insert(0, ("landing", now, {"rk": landed}))
        batch = {
            "k": self.shop.ingest_key,
            "v": str(clickstream.visitor(person)),
            "b": str(ids.uuid_from("replay", "click", person, str(now))),
            "s": (now + 20) * 1000,
            "e": [
                {
                    "id": str(ids.uuid_from("replay", "click", person, str(now), kind)),
                    "t": kind,
                    "at": at * 1000,
                    "url": target,
                    "p": details,
                }
                for kind, at, details in did
            ],
        }
        self._collect([Batch(person, now, batch)])
        self.requests += 2

    def _collect(self, batches: Sequence[Batch]) -> int:
        for batch in batches:
            self.outside.collect(batch.body)
        return len(batches)

    def serve(self, what: str, bodies: list[Any]) -> None:
        """What the shop's server tells of."""
        self.requests += self.outside.serve(what, bodies)

    def _now(self) -> int:
        return int(self.hand.at.timestamp())

    def _set(self, at: int) -> None:
        self.hand.set(max(datetime.fromtimestamp(at, tz=UTC), self.hand.at))

    def _is_sound(self) -> None:
        """A play that an error paused would break no rule, and prove nothing."""
        for campaign in Campaign.objects.exclude(state=Campaign.State.RUNNING):
            raise Refused(f"{campaign}: {campaign.state_reason}. {campaign.problem}")
        for due in Due.objects.exclude(problem=""):
            raise Refused(f"Somebody was parked in {due.campaign}: {due.problem}")


def text_of(raw: bytes) -> str:
    """The plain text of a letter."""
    part = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    return str(part.get_content()) if part is not None else ""
