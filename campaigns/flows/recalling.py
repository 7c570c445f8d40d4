"""A test run over what really happened: whom a campaign would have let in on each of the last days, and what
would have held their first message back. Writes nothing.

Its trigger is asked day by day, as of then. What people agreed to and their addresses are taken as they are
today, and it is taken to have written to nobody before. The number of queries depends on the days alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from campaigns.delivery import limits
from campaigns.flows import anyway, forecasting
from campaigns.flows.anyway import Anyway
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign, ChannelLimit, Delivery, Offer, Step
from crm.kernel import buckets, patience
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.kernel.work import Budget
from crm.models import Channel
from crm.shop.settings import shop_zone

SPANS = (7, 30, 90)
# People of one day; a day with more is not counted.
MOST = 20_000
# People of the day that is looked at.
LISTED = 100
SECONDS_A_DAY, SECONDS = 4.0, 20.0
# A number no campaign has: nobody has been in it.
NEVER_RAN = -1

SENT = "would be written to"
NOT_ALLOWED = "no address, or has not agreed"
HELD_OUT = "control group"
TOO_SOON = "were in it lately"
LIMITED = "frequency limits"
HELD_BY = (NOT_ALLOWED, HELD_OUT, TOO_SOON, LIMITED)


class CannotRecall(ValueError):
    """What happened cannot be asked about so; says why, in words."""


@dataclass(frozen=True)
class Day:
    """One day of the shop: how many people qualified, by what would have become of them."""

    on: date
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        return self.counts[SENT]

    @property
    def held(self) -> list[tuple[str, int]]:
        """How many each reason would have held back."""
        return [(reason, self.counts[reason]) for reason in HELD_BY]

    @property
    def people(self) -> int:
        return self.counts.total()


@dataclass(frozen=True)
class Came:
    """One person who would have come in, when, and what would have become of their first message."""

    person: UUID
    at: datetime
    verdict: str


@dataclass(frozen=True)
class Run:
    """The days of a test run, the oldest first, how many different people it would have written to, and what
    these bought on their own. `came` has the first people of the day that was asked for.
    """

    days: list[Day]
    written_to: int
    anyway: Anyway
    came: list[Came]

    @property
    def sent(self) -> int:
        return sum(day.sent for day in self.days)

    @property
    def held(self) -> list[tuple[str, int]]:
        """The reasons that held somebody back, with how often."""
        whole = sum((day.counts for day in self.days), Counter[str]())
        return [(reason, whole[reason]) for reason in HELD_BY if whole[reason]]

    @property
    def most(self) -> Day:
        """The day on which it would have written to most people."""
        return max(self.days, key=lambda day: day.sent)

    @property
    def tallest(self) -> int:
        return max(day.people for day in self.days)


def recall(campaign: Campaign, days: int, now: datetime, *, look_at: date | None = None) -> Run:
    """What the campaign would have done on the last whole days, with the people of the day to `look_at`.
    Raises CannotRecall.
    """
    try:
        trigger = triggers.get(campaign.trigger)
        params = trigger.read(campaign.trigger_params)
    except (UnknownKind, BrokenParams) as error:
        raise CannotRecall(str(error)) from error
    if words := refusal(trigger):
        raise CannotRecall(words)
    zone = shop_zone()
    today = now.astimezone(zone).date()
    stretches = [today - timedelta(days=number) for number in range(days, 0, -1)]
    found = _asked(trigger, params, campaign, stretches, zone)
    return _run(campaign, trigger, stretches, found, zone, look_at)


def refusal(trigger: Trigger) -> str:
    """Why this trigger cannot be asked as of a past moment; blank where it can."""
    if trigger.is_recorded:
        return ""
    if trigger.is_planned:
        return (
            "It goes out at a moment that a colleague chose, to whoever is meant by then: what happened on "
            "past days says nothing about it. How many it would be now stands on the page of its launch."
        )
    return (
        f"“{trigger.label}” looks at how things are now, and what they were on a past day is not kept whole. "
        "So no past days are shown: the page of its launch counts yesterday, the next hour and the next day."
    )


def _asked(
    trigger: Trigger, params: dict[str, Any], campaign: Campaign, days: Sequence[date], zone: ZoneInfo
) -> list[Entrant]:
    """Whoever qualified on these days, by when."""
    tried = copy(campaign)
    tried.pk, tried.existing_a_day = NEVER_RAN, None
    budget = Budget(SECONDS)
    found: dict[tuple[UUID, str], Entrant] = {}
    for day in days:
        since, until = _begin(day, zone), _begin(day + timedelta(days=1), zone)
        some = patience.within(
            SECONDS_A_DAY, partial(trigger.recalled, params, tried, since, until, limit=MOST)
        )
        if some is None or len(some) >= MOST or not budget:
            raise CannotRecall("This takes too long to work out just now. Choose fewer days.")
        found |= {(entrant.contact_id, entrant.entry): entrant for entrant in some if not entrant.is_test}
    return sorted(found.values(), key=lambda entrant: (entrant.qualified_at, entrant.entry))


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=zone)


def _run(
    campaign: Campaign,
    trigger: Trigger,
    days: Sequence[date],
    found: Sequence[Entrant],
    zone: ZoneInfo,
    look_at: date | None,
) -> Run:
    made = {day: Day(day) for day in days}
    people = {entrant.contact_id for entrant in found}
    judge = _Judge(campaign, trigger, people, found)
    written_to: dict[UUID, datetime] = {}
    came: list[Came] = []
    for entrant in found:
        day = made.get(entrant.qualified_at.astimezone(zone).date())
        if day is None:
            continue
        verdict = judge.of(entrant)
        day.counts[verdict] += 1
        if verdict == SENT:
            written_to.setdefault(entrant.contact_id, entrant.qualified_at)
        if day.on == look_at and len(came) < LISTED:
            came.append(Came(entrant.contact_id, entrant.qualified_at, verdict))
    own = anyway.bought(written_to, trigger.lift_days, _offers(campaign))
    return Run(list(made.values()), len(written_to), own, came)


def _offers(campaign: Campaign) -> list[Offer]:
    """Those its flow gives, as it was written last."""
    newest = campaign.versions.order_by("-number")[:1]
    return list(Offer.objects.filter(pk__in=Step.objects.filter(version__in=newest).values("offer")))


class _Judge:
    """Says of one entrant after the other, by time, what would have become of their first message."""

    def __init__(
        self, campaign: Campaign, trigger: Trigger, people: set[UUID], found: Sequence[Entrant]
    ) -> None:
        self.campaign = campaign
        self.reentry = timedelta(days=float(campaign.reentry_days)) if trigger.asks_reentry else timedelta()
        self.left_out = limits.held_out_of_all(campaign, limits.frequency())
        self.limits = limits.of_all(Channel.EMAIL) if campaign.in_caps else []
        self.may: set[UUID] = set()
        for some in batched(people, 10_000):
            self.may |= forecasting.writable_of(some, campaign.purpose_id)
        self.entered: dict[UUID, datetime] = {}
        self.had = self._had(people, found)

    def of(self, entrant: Entrant) -> str:
        person, at = entrant.contact_id, entrant.qualified_at
        before = self.entered.get(person)
        if before is not None and at < before + self.reentry:
            return TOO_SOON
        self.entered[person] = at
        if self._is_held_out(person):
            return HELD_OUT
        if person not in self.may:
            return NOT_ALLOWED
        if any(self._is_full(limit, person, at) for limit in self.limits):
            return LIMITED
        self.had[person].append(at)
        return SENT

    def _is_held_out(self, person: UUID) -> bool:
        if limits.in_control_group(person, self.left_out):
            return True
        share = float(self.campaign.control_share)
        return buckets.arm(f"campaign:{self.campaign.pk}", person, share) == "control"

    def _is_full(self, limit: ChannelLimit, person: UUID, at: datetime) -> bool:
        return sum(at - limit.within < one <= at for one in self.had[person]) >= limit.at_most

    def _had(self, people: set[UUID], found: Sequence[Entrant]) -> defaultdict[UUID, list[datetime]]:
        """What other campaigns told these people in those days, as it counts in the limits."""
        had: defaultdict[UUID, list[datetime]] = defaultdict(list)
        if not self.limits or not found:
            return had
        longest = max(limit.within for limit in self.limits)
        begin, end = found[0].qualified_at - longest, found[-1].qualified_at
        for some in batched(people, 10_000):
            rows = Delivery.objects.filter(
                contact_id__in=some,
                channel=Channel.EMAIL,
                counts=True,
                state__in=limits.LEFT,
                created_at__gt=begin - limits.LONGEST_WAIT,
                fenced_at__gt=begin,
                fenced_at__lte=end,
            ).exclude(campaign=self.campaign)
            for person, at in rows.values_list("contact_id", "fenced_at"):
                if person and at:
                    had[person].append(at)
        return had
