"""Who is called active, cooling, at risk and lost, against what real people did in the 39 weeks after."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from crm.audience import rhythm, standing
from crm.models import Clock, Standing, State
from tests.crm.audience import cdnow

pytestmark = pytest.mark.django_db
STATES = list(State.values)
FIXED_DAYS = (45, 90, 180)
"""The rule of thumb it is compared with: the same days for everybody."""


@dataclass
class Person:
    state: str
    fixed: str
    is_repeat: bool
    days_silent: int
    overdue: float
    bought: bool


def judged(record) -> list[Person]:
    who = cdnow.load(record)
    standing.refresh(cdnow.WEEK_39)
    rows = {row.contact_id: row for row in Standing.objects.all()}
    last_day = cdnow.WEEK_39.date() - timedelta(days=1)
    people = []
    for customer, bought in record.items():
        row = rows[who[customer]]
        silent = (last_day - max(day for day, _ in bought if day <= last_day)).days
        fixed = STATES[sum(silent >= days for days in FIXED_DAYS)]
        overdue = (cdnow.WEEK_39 - row.last_at) / timedelta(days=row.usual_gap_days)
        bought_later = any(day > last_day for day, _ in bought)
        people.append(Person(row.state, fixed, row.gaps > 0, silent, overdue, bought_later))
    return people


def table(people: list[Person], by: str) -> dict[str, tuple[int, int]]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for person in people:
        found[getattr(person, by)][0] += 1
        found[getattr(person, by)][1] += person.bought
    return {state: (found[state][0], found[state][1]) for state in STATES}


def shares(counts: dict[str, tuple[int, int]]) -> list[float]:
    return [bought / people for people, bought in counts.values() if people]


def written(title: str, people: list[Person]) -> str:
    lines = [title]
    for by in ("state", "fixed"):
        cells = ", ".join(
            f"{state} {bought}/{people} {100 * bought / max(people, 1):.1f} %"
            for state, (people, bought) in table(people, by).items()
        )
        lines.append(f"  {by}: {cells}")
    return "\n".join(lines)


def area_under_curve(scored: list[tuple[float, bool]]) -> float:
    """The chance that of one who bought and one who did not the first scores higher."""
    ranked, ranks, place = sorted(scored), 0.0, 0
    while place < len(ranked):
        same = [bought for score, bought in ranked[place:] if score == ranked[place][0]]
        same = same[
            : next((n for n, row in enumerate(ranked[place:]) if row[0] != ranked[place][0]), len(same))
        ]
        ranks += (place + (len(same) + 1) / 2) * sum(same)
        place += len(same)
    bought = sum(happened for _, happened in ranked)
    return (ranks - bought * (bought + 1) / 2) / (bought * (len(ranked) - bought))


@pytest.mark.proof
def test_those_called_active_buy_again_and_those_called_lost_do_not() -> None:
    people = judged(cdnow.purchases())
    repeat = [person for person in people if person.is_repeat]
    once = [person for person in people if not person.is_repeat]
    for title, group in (("all", people), ("bought again", repeat), ("bought once", once)):
        print(written(f"{title}: {len(group)}", group))
    print({n: v for n, v in vars(rhythm.in_use(cdnow.WEEK_39)).items() if n not in ("second_days", "_state")})
    print(
        "auc overdue",
        area_under_curve([(-p.overdue, p.bought) for p in repeat]),
        "silent",
        area_under_curve([(-p.days_silent, p.bought) for p in repeat]),
        "states",
        area_under_curve([(-STATES.index(p.state), p.bought) for p in people]),
        "fixed",
        area_under_curve([(-STATES.index(p.fixed), p.bought) for p in people]),
    )
    from django.db.models import Sum

    print(Standing.objects.values("state").annotate(s=Sum("at_stake")))
