"""What came of a replay, read from the sink and the database, laid beside the independent count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count

from campaigns.models import Campaign, Decision, Delivery, DeliveryState, Enrolment
from config.simulate import independent
from config.simulate.sink import Arrival
from crm.models import Contact

MINUTE = 60
Key = tuple[str, int]


@dataclass(frozen=True)
class Report:
    """The numbers, and the differences to the independent count; all empty when all is well."""

    rows: int
    people: int
    carts_left: int
    messages: int
    recipients: int
    delays: list[float]
    refusals: dict[str, int]
    doubled: list[Key]
    to_buyers: list[Key]
    expected: int
    missing: list[Key]
    surplus: list[Key]
    left_differs: list[Key]
    requests: int
    steps: int

    @property
    def is_equal(self) -> bool:
        return not (self.doubled or self.to_buyers or self.missing or self.surplus or self.left_differs)

    def lines(self) -> Iterator[str]:
        yield f"{self.rows:,} acts of {self.people:,} people, in {self.requests:,} requests"
        yield f"{self.steps:,} steps of the clock"
        yield f"{self.carts_left:,} carts left; the independent count says {self.expected:,}"
        yield f"{self.messages:,} messages at the sink, to {self.recipients:,} people"
        if self.delays:
            ordered = sorted(self.delays)
            yield "minutes from the last activity to the sink: " + ", ".join(
                f"{name} {ordered[min(int(len(ordered) * share), len(ordered) - 1)] / MINUTE:.2f}"
                for name, share in (("least", 0), ("median", 0.5), ("p99", 0.99), ("most", 1))
            )
        for reason, number in sorted(self.refusals.items()):
            yield f"not sent, {reason}: {number:,}"
        yield f"doubled: {len(self.doubled)}; to people who had bought: {len(self.to_buyers)}"
        if self.is_equal:
            yield "Equal to the independent count, to the person and the minute."
        for name in ("doubled", "to_buyers", "missing", "surplus", "left_differs"):
            for person, minute in getattr(self, name)[:20]:
                yield f"  {name}: person {person} at {minute * MINUTE} ({_words(minute)})"


def compare(
    rows: list[independent.Row],
    arrivals: list[Arrival],
    campaign: Campaign,
    delay: int,
    again_after: int,
    looked_every: int,
    *,
    requests: int,
    steps: int,
) -> Report:
    """Lay the sink beside what must have been written."""
    expected = independent.count(rows, delay, again_after, looked_every)
    arrived = [(_person(arrival), int(arrival.at.timestamp())) for arrival in arrivals]
    seen = Counter((person, at // MINUTE) for person, at in arrived)
    must = Counter((left.person, left.sent // MINUTE) for left in expected)
    must_enter = Counter((left.person, left.due // MINUTE) for left in expected)
    entered = Counter(_runs(campaign))
    copies = Counter(arrival.delivery for arrival in arrivals)
    last_seen = {(left.person, left.sent // MINUTE): left.last_seen for left in expected}
    return Report(
        rows=len(rows),
        people=len({person for person, _, _ in rows}),
        carts_left=entered.total(),
        messages=len(arrivals),
        recipients=len({person for person, _ in arrived}),
        delays=[
            at - last_seen[person, at // MINUTE]
            for person, at in arrived
            if (person, at // MINUTE) in last_seen
        ],
        refusals=_refusals(campaign),
        doubled=[
            (_person(arrival), int(arrival.at.timestamp()) // MINUTE)
            for arrival in arrivals
            if copies[arrival.delivery] > 1
        ],
        to_buyers=[(person, at // MINUTE) for person, at in independent.bought_meanwhile(rows, arrived)],
        expected=must.total(),
        missing=sorted((must - seen).elements()),
        surplus=sorted((seen - must).elements()),
        left_differs=sorted(((must_enter - entered) + (entered - must_enter)).elements()),
        requests=requests,
        steps=steps,
    )


def _person(arrival: Arrival) -> str:
    return arrival.to.partition("@")[0].removeprefix("user")


def _runs(campaign: Campaign) -> Iterator[Key]:
    people = dict(Contact.objects.values_list("pk", "email"))
    for contact_id, at in Enrolment.objects.filter(campaign=campaign).values_list(
        "contact_id", "qualified_at"
    ):
        yield people[contact_id].partition("@")[0].removeprefix("user"), int(at.timestamp()) // MINUTE


def _refusals(campaign: Campaign) -> dict[str, int]:
    """Why messages were not sent: refused before there was a delivery, or by the fence."""
    noes = [Decision.Verdict.SKIPPED, Decision.Verdict.SUPPRESSED, Decision.Verdict.HELD_OUT]
    decided = Decision.objects.filter(campaign=campaign, verdict__in=noes, delivery_id__isnull=True)
    fenced = Delivery.objects.filter(campaign=campaign).exclude(state=DeliveryState.SENT)
    found: Counter[str] = Counter()
    for reason, number in decided.values_list("reason").annotate(Count("pk")):
        found[reason] += number
    for state, reason, number in fenced.values_list("state", "reason").annotate(Count("pk")):
        found[f"{state} {reason}".strip()] += number
    return dict(found)


def _words(minute: int) -> str:
    return datetime.fromtimestamp(minute * MINUTE, tz=UTC).isoformat(timespec="minutes")
