"""The shop's rhythm, by hand: the usual gap, second orders with those still on their way, the first weeks."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.audience import rhythm
from crm.audience.rhythm import SHARES, second_orders, usual_gap
from crm.models import Contact, ShopRhythm
from tests.crm.audience.shops import bought, day, people

LONG = 10_000.0
"""Watched for so long that nothing common is mixed in for want of time."""


def of_people(*gaps_of_each: list[float]) -> list[tuple[float, ...]]:
    """People by their number of gaps, as the database adds them up."""
    rows = {}
    for gaps in gaps_of_each:
        logs = [log(gap) for gap in gaps]
        mean = sum(logs) / len(logs)
        told = (1, mean, mean * mean, sum((one - mean) ** 2 for one in logs))
        rows[len(gaps)] = [a + b for a, b in zip(rows.get(len(gaps), (0, 0, 0, 0)), told, strict=True)]
    return [(number, *told) for number, told in rows.items()]


def test_the_usual_gap_of_many_alike_is_theirs():
    found = usual_gap(of_people(*[[30.0, 30.0, 30.0]] * 400), LONG)
    assert found.usual == pytest.approx(30, rel=0.02) and found.seen == 1200


def test_people_who_differ_much_and_are_regular_soon_outweigh_the_shop_and_erratic_ones_do_not():
    regular = usual_gap(of_people(*[[10.0, 10.5]] * 100, *[[90.0, 92.0]] * 100), LONG)
    erratic = usual_gap(of_people(*[[3.0, 80.0, 20.0]] * 200), LONG)
    assert regular.pull < 1 and erratic.pull > 8


def test_one_pause_of_years_does_not_move_the_shop():
    plain = usual_gap(of_people(*[[25.0, 35.0]] * 200), LONG)
    paused = usual_gap(of_people(*[[25.0, 35.0]] * 199, [25.0, 1500.0]), LONG)
    assert paused.usual == pytest.approx(plain.usual, rel=0.08)


def test_those_still_on_their_way_are_counted_as_long_as_they_were_watched():
    # Of 100, 30 ordered again after 10 days. Then 40 had been watched for 20 days only. Of the 30 left, 15
    # ordered again after 50 days: half of them, so 0.7 * 0.5 stay away for good.
    rows = [(10, 30, 0), (20, 0, 40), (50, 15, 0), (100, 0, 15)]
    found = second_orders(rows, LONG, 30.0)
    trust = 45 / 65
    assert found.comes_back == pytest.approx(trust * (1 - 0.7 * 0.5) + (1 - trust) * 0.4)
    # 0.30 of 0.65 come within 11 days: up to 46 % of those who come; the rest within 51.
    within = lambda share, days: exp(trust * log(days) + (1 - trust) * log(-30 * log(1 - share)))  # noqa: E731
    assert found.days[SHARES.index(0.46)] == pytest.approx(within(0.46, 11))
    assert found.days[SHARES.index(0.47)] == pytest.approx(within(0.47, 51))


def test_a_shop_of_three_weeks_does_not_take_everybody_for_quick():
    rows = [(day_number, 40, 200) for day_number in range(1, 20)]
    young = second_orders(rows, 20.0, 60.0)
    assert young.days[SHARES.index(0.8)] > 60
    assert usual_gap(of_people(*[[7.0, 8.0]] * 300), 20.0).usual > 40


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 40), st.integers(0, 40)), max_size=20),
    st.floats(0, 2000),
    st.floats(1, 400),
)
def test_more_of_the_second_orders_take_longer_whatever_the_shop(rows, watched, gap):
    merged = {days: (came, not_yet) for days, came, not_yet in rows}
    found = second_orders([(days, *merged[days]) for days in sorted(merged)], watched, gap)
    assert len(found.days) == len(SHARES) and 0 < found.comes_back <= 1
    assert all(a <= b for a, b in pairwise(found.days)) and found.days[0] > 0


@given(st.lists(st.lists(st.floats(1, 3000), min_size=1, max_size=6), max_size=30), st.floats(0, 2000))
def test_there_is_a_usual_gap_whatever_the_shop(gaps, watched):
    found = usual_gap(of_people(*gaps), watched)
    assert found.usual >= 1 and 0.5 <= found.pull <= 10


@pytest.mark.django_db
def test_a_shop_without_orders_is_taken_for_a_common_one():
    row = rhythm.keep(day(0))
    assert (row.usual_gap_days, row.pull, row.comes_back, row.gaps_seen) == (60, 3, 0.4, 0)
    assert 0 < row.once_cooling_days < row.once_at_risk_days < row.once_lost_days
    assert row.in_use_from == day(0)


@pytest.mark.django_db
def test_orders_of_one_day_cancelled_ones_and_test_persons_make_no_gap():
    ana, boris, tina = people("Ana", "Boris", "Tina")
    Contact.objects.filter(pk=tina).update(is_test=True)
    bought(ana, 0, 0.2, 30)
    bought(tina, 0, 1, 2)
    bought(boris, 0)
    bought(boris, 5, status="cancelled")
    assert rhythm.measured(day(40)).gaps_seen == 1
    assert rhythm.measured(day(20)).gaps_seen == 0


@pytest.mark.django_db
def test_figures_are_kept_each_day_and_come_into_use_where_they_differ_notably():
    who = people(*(f"P{number}" for number in range(30)))
    for number, person in enumerate(who):
        bought(person, number / 10, 20 + number / 10, 45 + number)
    first = rhythm.keep(day(80))
    same = rhythm.keep(day(80.2))
    assert same.in_use_from == first.in_use_from == day(80)
    ShopRhythm.objects.filter(pk=first.pk).update(usual_gap_days=10)
    again = rhythm.keep(day(81))
    assert again.in_use_from == day(81) and rhythm.in_use(day(81)) == again
    quiet = rhythm.keep(day(81) + timedelta(days=1) - timedelta(hours=13))
    assert quiet.in_use_from in (None, day(81))
    assert rhythm.then(day(80.5)).pk == first.pk and rhythm.then(day(0)).pk == first.pk
