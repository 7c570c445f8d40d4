"""Who is called active, cooling, at risk and lost, against what real people did in the 39 weeks after."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

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
        bought_later = any(day > last_day for day, _ in bought)
        people.append(Person(row.state, fixed, row.gaps > 0, bought_later))
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


def told(title: str, people: list[Person]) -> None:
    print(written(f"{title}, {len(people):,} people", people))


@pytest.mark.chaos
def test_those_called_active_buy_again_and_those_called_lost_do_not() -> None:
    people = judged(cdnow.purchases())
    repeat = [person for person in people if person.is_repeat]
    once = [person for person in people if not person.is_repeat]
    for title, group in (("everybody", people), ("bought again", repeat), ("bought once", once)):
        told(title, group)
    assert (len(people), len(repeat), len(once)) == (11_785, 4_738, 7_047)
    active, cooling, at_risk, lost = shares(table(repeat, "state"))
    assert active > cooling + 0.04 and cooling > at_risk + 0.10 and at_risk > lost + 0.18
    active, cooling, at_risk, lost = shares(table(people, "state"))
    assert active > cooling + 0.04 and cooling > at_risk + 0.35 and at_risk > lost + 0.05
    # All of those who bought once did so half a year ago: none is called active, and hardly any comes back.
    assert [people for people, _ in table(once, "state").values()][:2] == [0, 0]
    at_risk, lost = shares(table(once, "state"))
    assert 0.18 > at_risk > lost
    # The same days for everybody call lost the many who bought once, and 1,041 of those lost bought again.
    assert (
        sum(bought for _, bought in [table(people, "fixed")["lost"]])
        > 1.4 * table(people, "state")["lost"][1]
    )
    rows = rhythm.in_use(cdnow.WEEK_39)
    assert rows.gaps_seen == 12_419 and rows.usual_gap_days == pytest.approx(56.8, abs=0.1)


def test_the_order_holds_among_the_first_customers_too() -> None:
    record = dict(list(cdnow.purchases(700).items()))
    repeat = [person for person in judged(record) if person.is_repeat]
    told("the first customers", repeat)
    active, _cooling, at_risk, lost = shares(table(repeat, "state"))
    assert active > at_risk + 0.05 and at_risk > lost + 0.10


def test_a_few_people_by_hand() -> None:
    """Reckoned from the file with pencil and paper, given the shop's usual gap and its pull."""
    record = cdnow.purchases(60)
    who = cdnow.load(record)
    standing.refresh(cdnow.WEEK_39)
    used = rhythm.in_use(cdnow.WEEK_39)
    checked = 0
    for customer, bought in record.items():
        days = sorted({day for day, _ in bought if day < cdnow.WEEK_39.date()})
        row = Standing.objects.get(contact=who[customer])
        assert row.gaps == len(days) - 1
        usual = used.usual_gap_days
        if row.gaps:
            span = (days[-1] - days[0]).days
            usual = (span + used.pull * usual) / (row.gaps + used.pull)
        assert row.usual_gap_days == pytest.approx(usual)
        silent = (cdnow.WEEK_39 - row.last_at) / timedelta(days=1)
        bounds = (
            [used.once_cooling_days, used.once_at_risk_days, used.once_lost_days]
            if not row.gaps
            else [1.25 * usual, 1.75 * usual, 3.5 * usual]
        )
        assert row.state == STATES[sum(silent >= bound for bound in bounds)]
        paid = sum(value for day, value in bought if day < cdnow.WEEK_39.date())
        yearly = float(paid) / len(days) * 365.25 / usual * (1 if row.gaps else used.comes_back)
        assert float(row.at_stake) == pytest.approx(yearly, abs=0.02)
        checked += bool(row.gaps)
    assert checked > 15 and Standing.objects.filter(clock=Clock.PURCHASE).count() == 60
