"""Splits by hash: fair, repeatable, independent of each other."""

import pytest

from crm.kernel import buckets, ids

PEOPLE = [ids.uuid_from("person", str(number)) for number in range(20_000)]


def test_a_share_lies_between_0_and_1_and_never_changes():
    shares = [buckets.share("autumn", person) for person in PEOPLE]
    assert all(0 <= share < 1 for share in shares)
    assert shares == [buckets.share("autumn", person) for person in PEOPLE]


def test_the_control_arm_is_as_large_as_asked():
    held = sum(buckets.arm("autumn", person, 0.1) == "control" for person in PEOPLE)
    assert 1850 < held < 2150


def test_nobody_or_everybody_can_be_held_out():
    assert {buckets.arm("x", person, 0) for person in PEOPLE} == {"treatment"}
    assert {buckets.arm("x", person, 1) for person in PEOPLE} == {"control"}


def test_two_salts_split_independently():
    both = sum(
        buckets.arm("autumn", person, 0.5) == "control" and buckets.arm("winter", person, 0.5) == "control"
        for person in PEOPLE
    )
    assert 4700 < both < 5300


def test_a_larger_share_keeps_those_who_were_held_out():
    small = {person for person in PEOPLE if buckets.arm("s", person, 0.1) == "control"}
    large = {person for person in PEOPLE if buckets.arm("s", person, 0.2) == "control"}
    assert small < large


def test_weights_are_kept_and_a_weight_of_nothing_is_never_picked():
    picked = [buckets.pick("split", person, {"a": 3, "b": 1, "never": 0}) for person in PEOPLE]
    assert 14_600 < picked.count("a") < 15_400
    assert "never" not in picked


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": -1, "b": 2}])
def test_weights_that_mean_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        buckets.pick("split", 1, weights)


def test_a_share_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        buckets.arm("s", 1, 10)
