"""advance_per_s: people moved on through a flow, against the bare statements that write the same rows.

    python -m benchmarks.advancing [--people 20000] [--growth] [--profile]
    python -m benchmarks.advancing --people 1000000 --flows 1 10 50

A flow of three steps (wait, split, send), everybody due at once, one worker, real fsync. What it is held
against: the same rows, already in memory, written by hand in as many transactions, each one UPDATE of the
runs, one DELETE of what is due, and one INSERT each of decisions and messages. Ratios are of processor time,
ours and the server's. `--growth` goes on with 1, 10 and 50 flows switched on and 10,000 and 100,000 people.

`--flows` asks something else: how the engine alone fares with so many flows on, one after the other. Its
people are made and let in by ten thousands and nobody is kept in memory, so any number can be asked for; told
are people a second, and how much memory the process took at most, which must not depend on how many they are.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from math import log10
from statistics import median
from typing import Any

from benchmarks import effort, results
from benchmarks.ground import ground

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
type Written = tuple[list[Any], list[Any], list[Any]]

RUNS = ("state", "step_position", "path", "arrived_at", "finished_at")
TABLES = "campaigns_delivery, campaigns_decision, campaigns_enrolment, campaigns_due"


def flows(count: int) -> list[Any]:
    """So many running flows of three steps."""
    from tests.campaigns import mailing
    from tests.campaigns.flows.stage import SEND, flow

    template = mailing.template()
    wait = {"kind": "campaigns.wait", "params": {"length": "1", "unit": "hours"}}
    paths = {"path_1": "A", "weight_1": "1", "path_2": "B", "weight_2": "1"}
    split = {"kind": "campaigns.split", "params": paths}
    quiet = {"trigger": "campaigns.clicked_not_bought", "trigger_params": {"hours": "72"}}
    made = [
        flow(wait, split, SEND, name=f"Flow {number}", launched_at=NOW - HOUR, **quiet)
        for number in range(count)
    ]
    assert all(one.current.steps.filter(template=template).exists() for one in made)
    return made


def people(count: int, purpose: Any) -> list[Any]:
    from tests.campaigns import mailing

    found: list[Any] = []
    for first in range(1, count + 1, 10_000):
        found += mailing.people(min(10_000, count + 1 - first), purpose, first=first)
    return found


def begin(campaigns: Sequence[Any], contacts: Sequence[Any]) -> None:
    """Everybody in one of the flows, in turn, at its first step, due now; nobody else."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")
    enter(campaigns, contacts)
    vacuum()


def enter(campaigns: Sequence[Any], contacts: Sequence[Any]) -> None:
    from campaigns.flows import journeys
    from campaigns.flows.kinds import Entrant

    for number, campaign in enumerate(campaigns):
        mine = contacts[number :: len(campaigns)]
        for some in batched(mine, 5000):
            entrants = [Entrant(one.pk, f"click:{one.pk}", NOW - HOUR) for one in some]
            journeys.enter(campaign, entrants, NOW - HOUR)


def vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def advance(expected: int) -> effort.Effort:
    """Until everybody is through."""
    from campaigns.flows import journeys
    from campaigns.models import Delivery, Due
    from crm.kernel.work import Budget

    moved, cost = effort.of(lambda: journeys.advance(NOW, Budget(24 * 3600)))
    assert (moved, Delivery.objects.count(), Due.objects.count()) == (expected, expected, 0)
    return cost


def alone(count: int, switched_on: int) -> None:
    """So many people through so many flows by the engine, with nothing to hold it against."""
    from tests.campaigns import mailing

    campaigns = flows(switched_on)
    purpose = mailing.campaign(name="Nobody's", state="draft").purpose
    for first in range(1, count + 1, 10_000):
        enter(campaigns, mailing.people(min(10_000, count + 1 - first), purpose, first=first))
    vacuum()
    cost = advance(count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:,} people through three steps, {switched_on} flows on: {count / cost.cpu:,.0f} a second of "
        f"processor ({count / cost.wall:,.0f} on the clock); the process took {peak:.0f} MB at most",
        flush=True,
    )


def rows() -> Written:
    """What the engine wrote: runs, decisions and messages, in the order of their people."""
    from campaigns.models import Decision, Delivery, Enrolment

    runs = list(Enrolment.objects.order_by("pk"))
    decisions = list(Decision.objects.filter(verdict="queued").order_by("enrolment_id"))
    deliveries = list(Delivery.objects.order_by("enrolment_id"))
    assert len(runs) == len(decisions) == len(deliveries)
    return runs, decisions, deliveries


def by_hand(written: Written) -> effort.Effort:
    """The same rows by the bare statements, as many at once as the engine takes."""
    from django.db import connection, transaction

    from campaigns.flows.journeys import ADVANCE_AT_ONCE
    from campaigns.models import Delivery
    from crm.models.writing import insert_rows, update_rows

    def write() -> None:
        for first in range(0, len(written[0]), ADVANCE_AT_ONCE):
            runs, decisions, deliveries = (rows[first : first + ADVANCE_AT_ONCE] for rows in written)
            with transaction.atomic(), connection.cursor() as cursor:
                update_rows(runs, *RUNS)
                keys = [run.pk for run in runs]
                cursor.execute("DELETE FROM campaigns_due WHERE enrolment_id = ANY(%s)", [keys])
                insert_rows(decisions)
                insert_rows(deliveries)

    _, cost = effort.of(write)
    assert Delivery.objects.count() == len(written[0])
    return cost


def measure(count: int, switched_on: int, rounds: int) -> tuple[effort.Effort, effort.Effort]:
    """By the engine and by hand: the middle of some rounds, in turn."""
    from tests.campaigns import mailing

    campaigns = flows(switched_on)
    contacts = people(count, mailing.campaign(name="Nobody's", state="draft").purpose)
    ours, bare = [], []
    for _ in range(rounds):
        begin(campaigns, contacts)
        ours.append(advance(count))
        written = rows()
        begin(campaigns, contacts)
        bare.append(by_hand(_same_runs(written)))
    return _middle(ours), _middle(bare)


def _middle(efforts: Sequence[effort.Effort]) -> effort.Effort:
    return effort.Effort(median(one.wall for one in efforts), median(one.cpu for one in efforts))


def _same_runs(written: Written) -> Written:
    """The rows of before for the runs that are there now: of the same people, under new keys."""
    from campaigns.models import Enrolment

    now = dict(Enrolment.objects.values_list("contact_id", "pk"))
    runs, decisions, deliveries = written
    for run, decision, delivery in zip(runs, decisions, deliveries, strict=True):
        run.pk = now[run.contact_id]
        decision.enrolment_id = now[decision.contact_id]
        delivery.enrolment_id = now[delivery.contact_id]
    return runs, decisions, deliveries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--flows", type=int, nargs="+", default=[], help="the engine alone, with so many on")
    given = parser.parse_args()
    for switched_on in given.flows:
        with ground():
            alone(given.people, switched_on)
    if given.flows:
        return
    with ground():
        if given.profile:
            campaigns = flows(1)
            begin(campaigns, people(given.people, campaigns[0].purpose))
            profile = cProfile.Profile()
            profile.runcall(advance, given.people)
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
            pstats.Stats(profile).sort_stats("tottime").print_stats(30)
            return
        ours, bare = measure(given.people, 1, given.rounds)
        print(told(given.people, 1, ours, bare))
        results.note("advance_per_s", bare / ours, better="higher", floor=0.2, moonshot=0.5, n=given.people)
    if given.growth:
        grown()


def grown() -> None:
    """With more flows switched on, and with more people."""
    taken: dict[tuple[int, int], float] = {}
    for count, switched_on in ((10_000, 1), (10_000, 10), (10_000, 50), (100_000, 1), (100_000, 50)):
        with ground():
            ours, bare = measure(count, switched_on, 1)
        taken[count, switched_on] = ours.cpu
        print(told(count, switched_on, ours, bare), flush=True)
    growth = log10(taken[100_000, 1] / taken[10_000, 1])
    results.note("advance_growth", growth, better="lower", floor=1.1, moonshot=1.0, n=100_000)


def told(count: int, switched_on: int, ours: effort.Effort, bare: effort.Effort) -> str:
    rates = [f"{count / one.cpu:,.0f} ({count / one.wall:,.0f} on the clock)" for one in (ours, bare)]
    return (
        f"{count:,} people through three steps, {switched_on} flows on, people a second of processor: "
        f"{rates[0]}; by hand {rates[1]}"
    )


if __name__ == "__main__":
    main()
