"""Ticks take batches, keep to their time, and stop between two batches."""

import signal
from time import monotonic

import pytest

from crm.kernel import work


@pytest.fixture(autouse=True)
def nobody_stops():
    before = signal.getsignal(signal.SIGTERM)
    yield
    work._stop.clear()
    signal.signal(signal.SIGTERM, before)


def queue(*batches):
    waiting = list(batches)
    return lambda: waiting.pop(0) if waiting else []


def test_batches_are_claimed_until_nothing_is_due():
    assert list(work.batches(queue([1, 2], [3]), work.Budget(10))) == [[1, 2], [3]]


def test_a_spent_budget_ends_after_the_batch_in_hand():
    assert list(work.batches(queue([1], [2]), work.Budget(0))) == [[1]]


def test_a_request_to_end_is_heard_between_two_batches():
    seen = []
    for batch in work.batches(queue([1], [2], [3]), work.Budget(10)):
        seen.append(batch)
        if batch == [2]:
            work.stop()
    assert seen == [[1], [2]]


def test_a_budget_is_true_while_time_is_left():
    budget = work.Budget(10)
    assert budget and 0 <= budget.spent < 1 and 9 < budget.left <= 10
    assert not work.Budget(0)
    work.stop()
    assert not budget


def test_sigterm_stops_the_loops_and_the_former_handler_still_runs():
    heard = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    work.install_sigterm()
    signal.raise_signal(signal.SIGTERM)
    assert work.stopping() and heard == [signal.SIGTERM]


def test_a_pause_ends_at_once_when_the_process_is_asked_to_end():
    assert work.pause(0)
    work.stop()
    began = monotonic()
    assert not work.pause(30)
    assert monotonic() - began < 25


def test_rows_at_hand_are_cut_into_lists():
    assert list(work.in_batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(work.in_batches([], 2)) == []
