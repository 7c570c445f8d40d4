"""One clock, which stops and moves where it is told to."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from crm.kernel import clock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_frozen_clock_stands_still_and_runs_again_afterwards():
    with clock.frozen(NOON):
        assert clock.now() == clock.now() == NOON
    assert clock.now() != NOON


def test_a_frozen_clock_moves_only_when_it_is_moved():
    with clock.frozen(NOON) as hand:
        clock.advance(timedelta(minutes=8))
        assert clock.now() == NOON + timedelta(minutes=8)
        hand.set(NOON)
        assert clock.now() == NOON


def test_a_running_clock_cannot_be_moved():
    with pytest.raises(RuntimeError, match="stop it"):
        clock.advance(timedelta(hours=1))


def test_an_instant_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"), clock.frozen(datetime(2026, 3, 1)):
        pass


def test_now_is_in_utc_whatever_zone_it_was_frozen_in():
    with clock.frozen(NOON.astimezone(timezone(timedelta(hours=5)))):
        assert clock.now().tzinfo is UTC


def test_stopping_the_clock_of_one_thread_leaves_the_others_running():
    seen = []
    with clock.frozen(NOON):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen[0] != NOON


def test_a_replay_stops_the_clock_of_all_threads():
    seen = []
    with clock.frozen(NOON, everywhere=True) as hand:
        hand.advance(timedelta(days=1))
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen == [NOON + timedelta(days=1)]


def test_clocks_nest_and_the_inner_one_counts():
    with clock.frozen(NOON):
        with clock.frozen(NOON + timedelta(days=1)):
            assert clock.now() == NOON + timedelta(days=1)
        assert clock.now() == NOON
