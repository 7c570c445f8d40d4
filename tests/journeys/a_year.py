"""Ana's year: what she does, and what comes of it, read from her mailbox and from her page in the admin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Min

from campaigns.flows import journeys
from campaigns.flows.kinds import playbooks, triggers
from campaigns.models import Campaign, Delivery, DeliveryState, Due
from crm.kernel import timeline
from crm.models import ShopSettings, Standing
from crm.ticking import run_tick
from tests.journeys.ana import SHELF, ZONE, Ana
from tests.journeys.shopfloor import HOUR, MINUTE, TICKS, World, opened, person

BEGIN = datetime(2026, 1, 12, 9, 30, tzinfo=ZONE)
END = datetime(2027, 1, 12, 9, 0, tzinfo=ZONE)
BROADCAST_ON = date(2026, 3, 26)
SAID = {
    "broadcast": {"trigger--campaigns-on_date-at": f"{BROADCAST_ON}T10:00"},
    "anniversary": {"trigger--campaigns-anniversary-category": "Presents"},
}
# The cart play leaves checkouts to this one where it is there first.
FIRST = "abandoned_checkout"
# Where nothing has happened and somebody is merely due, the others find nothing.
WHEN_DUE = ("campaigns.advance", "campaigns.deliver")
WHEN_NOTHING_IS = ("crm.standing", "crm.segments", "campaigns.trigger")
# Plays that time alone begins, whatever she does; all others are looked at when something has happened.
BY_TIME = ("we_miss_you", "replenishment", "anniversary", "birthday")
# Of a comparison she gets one or the other, drawn by chance.
BY_NAME = "Ana, have you seen these?"


@dataclass(frozen=True)
class Row:
    """One line of the year: when, what, and (of a message or a no) by which play and why."""

    at: datetime
    what: str
    play: str = ""
    why: str = ""

    @property
    def when(self) -> str:
        return f"{self.at.astimezone(ZONE):%-d %b %Y, %H:%M}"


class Year:
    """All plays are on; Ana lives; time goes from moment to moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows: list[Row] = []
        self.mail = 0
        self.life = Ana(world).life()

    def live(self) -> None:
        """To the end of the year. Each evening at about the hour at which she orders it is seen whether time
        alone begins something.
        """
        stirs = {act.at + act.stirs for act in self.life if act.stirs}
        looks, evenings = sorted({*_days_of_many(), *stirs, END}), _evenings()
        while self.world.hand.at < END:
            now = self.world.hand.at
            look = min([next(at for at in looks if at > now), *self._standing(now)])
            evening = next(at for at in evenings if at > now)
            at = min([look, evening, *self._due(now), *(max(act.at, now) for act in self.life[:1])])
            self.world.hand.set(at)
            if self.life and at >= self.life[0].at:
                self._act()
            else:
                began = (at == look and self._work(WHEN_NOTHING_IS)) or (at == evening and self._enrol())
                self._work(TICKS if began else WHEN_DUE)
            self._read_mail()

    def noes(self) -> list[Row]:
        """Every no on her timeline, the oldest first."""
        found = [entry for entry in self._timeline() if entry.kind == "decision"]
        return [Row(entry.at, entry.title, entry.detail) for entry in found]

    def why(self, play: str) -> str:
        """The page of a play that says what it decided about her, and why."""
        campaign = Campaign.objects.get(name=play)
        return self.world.mia.reads("campaigns_campaign_why", campaign.pk, **{"as": "ana@example.com"})

    def _timeline(self) -> list[timeline.Entry]:
        found: list[timeline.Entry] = []
        page = timeline.read(person("ana").pk)
        while True:
            found += page.entries
            if page.next is None:
                return found[::-1]
            page = timeline.read(person("ana").pk, page.next)

    def _due(self, now: datetime) -> Iterator[datetime]:
        """When somebody is due, or a message may leave."""
        due = Due.objects.filter(problem="", due_at__gt=now).aggregate(at=Min("due_at"))["at"]
        queued = Delivery.objects.filter(state=DeliveryState.QUEUED, not_before__gt=now)
        yield from filter(None, [due, queued.aggregate(at=Min("not_before"))["at"]])

    def _standing(self, now: datetime) -> Iterator[datetime]:
        """When she will stand elsewhere if she does nothing."""
        for name in ("cooling_at", "at_risk_at", "lost_at"):
            rows = Standing.objects.filter(**{f"{name}__gt": now - MINUTE})
            for at in rows.values_list(name, flat=True):
                yield at + MINUTE

    def _act(self) -> None:
        act = self.life.pop(0)
        act.does()
        self.rows.append(Row(act.at, act.words))
        self._work(TICKS)
        self._read_mail()
        self.world.hand.advance(MINUTE)
        self._work(TICKS)

    def _work(self, names: Iterable[str]) -> int:
        """What is scheduled gets its turn. Returns how much the last of it did."""
        did = 0
        for name in names:
            did = run_tick(name, self.world.hand.at)
        return did

    def _enrol(self) -> int:
        """The triggers of the plays that time alone begins."""
        plays = [f"campaigns.{key}" for key in BY_TIME]
        asked = Campaign.objects.filter(playbook__in=plays).values_list("pk", flat=True)
        return sum(journeys.enrol_one(pk, self.world.hand.at) or 0 for pk in asked)

    def _read_mail(self) -> None:
        new = list(zip(self.world.sink.arrivals, self.world.mail_to("ana"), strict=True))[self.mail :]
        self.mail += len(new)
        for arrival, message in new:
            campaign = Delivery.objects.get(public_id=arrival.delivery).campaign
            assert campaign is not None
            trigger = triggers.get(campaign.trigger)
            why = trigger.sentence(trigger.read(campaign.trigger_params))
            subject = str(message["Subject"]).replace(BY_NAME, "New in the shop")
            self.rows.append(Row(self.world.hand.at, subject, campaign.name, why))


@contextmanager
def all_plays_on() -> Iterator[Year]:
    """Mia makes a draft of every play there is, chooses an offer where one is needed, and launches it."""
    with opened(BEGIN - HOUR, SHELF) as world:
        ShopSettings.objects.update(time_zone=ZONE.key)
        for key in SHELF:
            world.offers(key, stock=20)
        offer = world.mia.makes_offer("Come back", rung="1", good_for_hours="168")
        keys = sorted(play.key.partition(".")[2] for play in playbooks)
        for key in [FIRST, *[key for key in keys if key != FIRST]]:
            world.mia.launches(key, offer, **SAID.get(key, {}))
        world.later(MINUTE)
        yield Year(world)


def _evenings() -> list[datetime]:
    """A minute past seven on every day."""
    days = (BEGIN.date() + timedelta(days=number) for number in range((END - BEGIN).days + 2))
    return [datetime.combine(day, time(19, 1), ZONE).astimezone(UTC) for day in days]


def _days_of_many() -> Iterator[datetime]:
    """Ten o'clock on the first of each month and on the day of the broadcast; nine on her birthday."""
    firsts = [date(2026, month, 1) for month in range(2, 13)] + [date(2027, 1, 1)]
    for day in [*firsts, BROADCAST_ON]:
        yield datetime.combine(day, time(10), ZONE).astimezone(UTC)
    yield datetime(2026, 4, 28, 9, tzinfo=ZONE).astimezone(UTC)
