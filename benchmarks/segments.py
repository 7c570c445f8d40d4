"""segment_vs_sql, segment_vs_scan, membership_diff, preview_p95_ms, why_p95_ms, growth: how fast.

    python -m benchmarks.segments [--contacts 1000000] [--rounds 3] [--only refresh preview ...]

Three segments (benchmarks/shapes.py) are refreshed by the product, by hand-written SQL over the same tables,
and by hand-written SQL over events and orders alone, in turns, with PostgreSQL as `make run` sets it up; each
writes the same difference and the same books, and the people are compared. Smaller shops of 1 % and 10 % of
the size show how the cost grows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import astuple
from functools import partial
from itertools import pairwise
from math import log10
from random import Random  # noqa: TID251 - seeded
from typing import Any

from benchmarks import effort, ground, guesses, refreshing, results
from benchmarks.crowd import NOW
from benchmarks.effort import Effort
from benchmarks.refreshing import run
from benchmarks.shapes import SHAPES

RULES = 60
PEOPLE = 9
PARTS = ("refresh", "sweep", "difference", "preview", "why", "growth")

Costs = dict[str, float]


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def refresh(n: int, rounds: int) -> Costs:
    """Each shape whole, against both hands."""
    taken = [costs for shape in SHAPES for costs in refreshing.refreshed(shape, rounds)]
    worst = max(us / by_sql for us, by_sql, _ in taken)
    results.note("segment_vs_sql", worst, better="lower", floor=1.5, moonshot=1.2, n=n)
    least = min(scanning / us for us, _, scanning in taken)
    results.note("segment_vs_scan", least, better="higher", floor=3, moonshot=10, n=n)
    return {
        f"refresh {shape.name[0]}": costs[0].cpu for shape, costs in zip(SHAPES, taken[1::2], strict=True)
    }


def sweep(n: int, rounds: int) -> Costs:
    """Each shape kept up where 1 % of all people changed, against asking everybody."""
    taken = [refreshing.swept(shape, rounds) for shape in SHAPES]
    worst = max(few / everybody for few, everybody in taken)
    results.note("segment_one_percent", worst, better="lower", floor=0.5, moonshot=0.1, n=n, digits=3)
    return {f"sweep {shape.name[0]}": few.cpu for shape, (few, _) in zip(SHAPES, taken, strict=True)}


def difference(n: int, rounds: int) -> Costs:
    ours, anew = refreshing.difference(n, rounds)
    results.note("membership_diff", ours / anew, better="lower", floor=0.6, moonshot=0.4, n=n)
    return {"difference": ours.cpu}


def preview(n: int, rounds: int) -> Costs:
    """What the builder asks while somebody edits: how many, and a few of them."""
    from crm.audience import previewing

    dice, taken, estimated, unknown = Random(11), [], 0, 0
    for _ in range(RULES):
        rule = guesses.rule(dice)
        answer, cost = effort.of(partial(previewing.preview, rule, NOW))
        if answer.problems:
            raise RuntimeError(f"{rule}: {answer.problems}")
        taken.append(cost)
        estimated += answer.is_estimate
        unknown += answer.count is None
    print(f"preview of {RULES} rules: {told(taken)}; {estimated} estimated, {unknown} not even that")
    p95 = percentile([one.wall for one in taken], 95) * 1000
    results.note("preview_p95_ms", p95, better="lower", floor=2000, moonshot=300, n=n, digits=0)
    return {"preview": sum(one.cpu for one in taken) / len(taken)}


def why(n: int, rounds: int) -> Costs:
    """Of some people, and one time in ten of the one with the most events: each condition with reasons."""
    from crm.kernel import rules
    from crm.models import Contact

    [(busiest, events)] = run(
        "SELECT contact_id, count(*) FROM tracking_event GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    )
    some = run(
        "SELECT id FROM crm_contact TABLESAMPLE BERNOULLI (1) REPEATABLE (3) LIMIT %(most)s", most=PEOPLE
    )
    dice = Random(12)
    asked = [*(shape.rule for shape in SHAPES), *(guesses.rule(dice) for _ in range(RULES))]
    taken: dict[bool, list[Effort]] = {True: [], False: []}
    for rule in asked:
        for person in (busiest, *(one for (one,) in some)):
            scope = rules.Scope(current=True, among=[person])
            row = Contact.objects.filter(pk=person)
            answer, cost = effort.of(partial(rules.explain, row, rule, NOW, scope))
            if answer is None or answer.problems:
                raise RuntimeError(f"{rule}: {answer}")
            taken[person == busiest].append(cost)
    print(f"why of anybody, {len(asked)} rules: {told(taken[False])}")
    print(f"why of the one with {events} events: {told(taken[True])}")
    p95 = percentile([one.wall for one in (*taken[False], *taken[True])], 95) * 1000
    results.note("why_p95_ms", p95, better="lower", floor=50, moonshot=15, n=n, digits=1)
    return {"why": sum(one.cpu for one in taken[False]) / len(taken[False])}


def told(taken: Sequence[Effort]) -> str:
    figures = []
    for percent in (50, 95, 100):
        wall, cpu = (percentile(values, percent) * 1000 for values in zip(*map(astuple, taken), strict=True))
        figures.append(f"p{percent} {wall:.1f} ms, of processor {cpu:.1f}")
    return "; ".join(figures)


def growth(costs: dict[int, Costs]) -> None:
    """The slope of cost over size, both in powers of ten: of two sizes each, and over all of them."""
    sizes = sorted(costs)
    slopes: Costs = {}
    for name in costs[sizes[-1]]:
        points = [(log10(size), log10(costs[size][name])) for size in sizes]
        slopes[name] = slope(points)
        steps = ", ".join(f"{slope([one, two]):.2f}" for one, two in pairwise(points))
        told = ", ".join(f"{costs[size][name] * 1000:.1f}" for size in sizes)
        print(
            f"  {name}: {told} ms at {', '.join(map(str, sizes))}: {slopes[name]:.2f} (step by step {steps})"
        )
    families: dict[str, float] = {}
    for name, steepness in slopes.items():
        family = name.split(" ")[0]
        families[family] = max(steepness, families.get(family, steepness))
    for family, steepness in families.items():
        results.note(
            f"growth_segment_{family}", steepness, better="lower", floor=1.1, moonshot=1.0, n=sizes[-1]
        )
    results.note("growth", max(families.values()), better="lower", floor=1.1, moonshot=1.0, n=sizes[-1])


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line nearest to them."""
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    measures: dict[str, Any] = {
        "refresh": refresh, "sweep": sweep, "difference": difference, "preview": preview, "why": why
    }  # fmt: skip
    chosen = [measures[name] for name in measures if name in given.only]
    sizes = [given.contacts // 100, given.contacts // 10] if "growth" in given.only else []
    costs: dict[int, Costs] = {}
    with ground.servers() as services:
        for size in (*sizes, given.contacts):
            print(f"{size} contacts:")
            ground.seeded(services, size)
            costs[size] = {}
            run("TRUNCATE crm_segment CASCADE")
            for measure in chosen:
                costs[size] |= measure(size, given.rounds)
    if sizes:
        growth(costs)


if __name__ == "__main__":
    main()
