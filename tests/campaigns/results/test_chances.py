"""The arithmetic of certainty against simulated truth: seeded, so that every run is the same."""

from __future__ import annotations

from random import Random  # noqa: TID251 - seeded, for invented people

import pytest

from campaigns.results import chances, experiments, lift
from campaigns.results.chances import Mean, Rate
from campaigns.results.lift import Arm, Ratio
from campaigns.results.tallies import Variant
from campaigns.results.waiting import not_enough
from tests.campaigns.flows.stage import AT


def counted(rng: Random, people: int, rate: float, worth: float = 3.5) -> Mean:
    """Orders of so many people: most buy nothing, the others amounts as shops know them."""
    buyers = rng.binomialvariate(people, rate)
    amounts = [rng.lognormvariate(worth, 0.8) for _ in range(buyers)]
    return Mean(people, sum(amounts), sum(amount * amount for amount in amounts), buyers)


def together(one: Mean, other: Mean) -> Mean:
    return Mean(
        one.of + other.of, one.total + other.total, one.squares + other.squares, one.some + other.some
    )


@pytest.mark.parametrize(
    "one, other",
    [
        (Rate(30, 1000), Rate(40, 1000)),
        (Rate(0, 50), Rate(3, 1_000_000)),
        (Rate(1, 50), Rate(0, 50)),
        (Rate(0, 20), Rate(0, 2000)),
        (Rate(20, 20), Rate(18, 20)),
    ],
)
def test_the_chance_of_a_rate_to_be_higher_is_what_dice_say(one, other):
    rng, times = Random(1), 40_000
    drawn = sum(
        rng.betavariate(one.hits + 0.5, one.of - one.hits + 0.5)
        > rng.betavariate(other.hits + 0.5, other.of - other.hits + 0.5)
        for _ in range(times)
    )
    assert chances.higher(one, other) == pytest.approx(drawn / times, abs=0.01)


def test_among_several_the_chances_add_up_and_equals_share_them():
    assert chances.to_be_best([Rate(5, 100)] * 4) == pytest.approx([0.25] * 4)
    assert sum(chances.to_be_best([Rate(5, 100), Rate(9, 100), Rate(2, 9)])) == pytest.approx(1)
    assert chances.to_be_best([Mean(10, 50, 250, 10), Mean(10, 60, 360, 10)]) == [0, 1]
    assert chances.to_be_best([Rate(1, 2)]) == [1]


def test_what_is_called_likely_is_true_as_often_as_it_says():
    """Of messages whose chance to be best was between 70 and 90 %, so many truly were."""
    rng = Random(2)
    said: list[tuple[float, bool]] = []
    for _ in range(350):
        rates = [rng.uniform(0.02, 0.06) for _ in range(2)]
        found = chances.to_be_best([Rate(rng.binomialvariate(1500, rate), 1500) for rate in rates])
        said += [(chance, rates[place] == max(rates)) for place, chance in enumerate(found)]
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
        inside = [(chance, true) for chance, true in said if low <= chance < high]
        assert len(inside) > 40
        meant = sum(chance for chance, _ in inside) / len(inside)
        assert sum(true for _, true in inside) / len(inside) == pytest.approx(meant, abs=0.09)


def judged(*means: Mean, stopped: tuple[int, ...] = (0, 0, 0)) -> experiments.Verdict:
    found = chances.to_be_best(means) if all(mean.is_large for mean in means) else [None] * len(means)
    rows = [
        Variant(
            "ABC"[place], share=50, people=mean.of, bought=mean.some, money=mean, chance=chance,
            stopped=stopped[place], first_at=AT, last_at=AT,
        )
        for place, (mean, chance) in enumerate(zip(means, found, strict=True))
    ]  # fmt: skip
    return experiments.judge(rows, by_margin=False, now=AT)


@pytest.mark.proof
@pytest.mark.parametrize("people, rate", [(500, 0.05), (2000, 0.03), (500, 0.2)])
def test_of_equal_messages_looked_at_three_times_about_one_in_twenty_is_called_a_winner(people, rate):
    rng, times, wrong = Random(3), 200, 0
    for _ in range(times):
        both = [counted(rng, people, rate), counted(rng, people, rate)]
        for look in range(3):
            if judged(*both).kind == "won":
                wrong += 1
                break
            more = people * 2**look
            both = [together(one, counted(rng, more, rate)) for one in both]
    # Two standard deviations of 200 draws above one in twenty.
    assert wrong / times <= 0.05 + 2 * (0.05 * 0.95 / times) ** 0.5


def test_a_message_that_is_better_by_a_third_is_found_with_as_many_people_as_were_asked_for():
    rng = Random(4)
    needed = chances.needed_each(1.0, 30.0, 0.3)
    assert needed == pytest.approx(5230, abs=10)
    found = sum(
        judged(counted(rng, 12_000, 0.05), counted(rng, 12_000, 0.066)).label == "B" for _ in range(30)
    )
    assert found >= 27


def test_a_winner_whose_people_stop_is_none():
    rng = Random(5)
    worse, better = counted(rng, 9000, 0.03), counted(rng, 9000, 0.05)
    assert judged(worse, better).kind == "won"
    # As many stop by both messages: nothing against it.
    assert judged(worse, better, stopped=(40, 44, 0)).kind == "won"
    barred = judged(worse, better, stopped=(20, 60, 0))
    assert (barred.kind, barred.label) == ("barred", "B")
    assert "more people unsubscribe: not a winner" in barred.words


def test_too_few_buyers_say_nothing_and_how_long_it_takes():
    rng = Random(6)
    verdict = judged(counted(rng, 200, 0.03), counted(rng, 200, 0.03))
    assert verdict.kind == "early" and "more people each" in verdict.words
    assert verdict.more_people > 5000
    assert "too few have bought to say" in judged(Mean(9, 0, 0), Mean(9, 0, 0)).words


def test_messages_that_do_the_same_are_called_alike_in_the_end():
    assert (
        judged(Mean(90_000, 900_000, 18_000_000, 45_000), Mean(90_000, 901_000, 18_000_000, 45_000)).kind
        == "alike"
    )


def test_how_many_carts_it_takes_to_see_20_turn_into_23_percent():
    """The three figures of plays.md."""
    for share, carts in ((0.1, 15_700), (0.2, 8_900), (0.5, 5_900)):
        assert chances.needed_with_control(0.2, share, 0.15) == pytest.approx(carts, rel=0.005)
    assert chances.needed_with_control(0.0, 0.2, 0.15) is None


@pytest.mark.parametrize(
    "more, a_week, words",
    [
        (4300, 1500.0, "Not enough yet: about 4,300 more people, about three more weeks."),
        (900, 1500.0, "Not enough yet: about 900 more people, about one more week."),
        (12_345, 0.0, "Not enough yet: about 13,000 more people."),
        (30_000, 1000.0, "Not enough yet: about 30,000 more people, about 30 more weeks."),
        (10**6, 10.0, "years at this pace"),
        (None, 10.0, "too few have bought"),
    ],
)
def test_how_much_longer_in_words(more, a_week, words):
    assert words in not_enough(more, a_week)


def group(rng: Random, people: int, rate: float, more: float = 0.0) -> Arm:
    """People with one to three runs each, some of them given to buying; orders of 20 to 120."""
    sums = [0.0] * 9
    for _ in range(people):
        runs = rng.choice((1, 1, 1, 2, 3))
        lust = rate * rng.choice((0.5, 1.5)) + more
        orders = sum(rng.random() < lust for _ in range(runs))
        money = sum(rng.uniform(20, 120) for _ in range(orders))
        for place, value in enumerate(
            (1, runs, runs * runs, orders, orders**2, orders * runs, money, money**2, money * runs)
        ):
            sums[place] += value
    people_, runs_, squares, orders_, o2, orr, money_, m2, mr = sums
    return Arm(
        Ratio(int(people_), runs_, squares, orders_, o2, orr),
        Ratio(int(people_), runs_, squares, money_, m2, mr),
    )


def test_19_of_20_intervals_hold_the_truth():
    rng, times, held = Random(8), 300, [0, 0]
    for _ in range(times):
        treated, out = group(rng, 700, 0.1, 0.03), group(rng, 250, 0.1)
        for place, (extra, each) in enumerate(
            (
                (lift.difference(treated.orders, out.orders), 1),
                (lift.difference(treated.money, out.money), 70),
            )
        ):
            truth = 0.03 * each * treated.orders.runs
            held[place] += extra.low <= truth <= extra.high
    for number in held:
        assert number / times == pytest.approx(0.95, abs=0.03)


def test_no_effect_is_called_one_no_more_often_than_it_should():
    rng, times = Random(9), 250
    shown = sum(
        lift.judge(group(rng, 700, 0.1), group(rng, 250, 0.1), 0.25, 7).kind == "shown" for _ in range(times)
    )
    # Orders and money are looked at both, and go together: a little more than one in twenty.
    assert shown / times <= 0.1


def test_the_verdict_on_a_control_group():
    rng = Random(10)
    early = lift.judge(group(rng, 100, 0.1), group(rng, 20, 0.1), 0.2, 7)
    assert (early.kind, early.orders) == ("early", None) and "Not enough yet" in early.words
    unsure = lift.judge(group(rng, 300, 0.1), group(rng, 100, 0.1), 0.25, 7)
    assert unsure.kind == "early" and unsure.orders.low < 0 < unsure.orders.high
    sure = lift.judge(group(rng, 4000, 0.1, 0.05), group(rng, 1000, 0.1), 0.2, 7)
    assert sure.kind == "shown" and sure.orders.low > 0 and "bought more" in sure.words
    harm = lift.judge(group(rng, 4000, 0.1), group(rng, 1000, 0.1, 0.05), 0.2, 7)
    assert harm.kind == "shown" and "bought fewer" in harm.words
