"""What one stranger may do, counted for all processes together."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as NoAnswer

from crm.kernel.allowance import Allowance

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nobody_was_here():
    cache.clear()


def test_two_processes_count_together_and_each_stranger_alone():
    one, other = (Allowance("guesses", most=3, seconds=30) for _ in range(2))
    assert [process.take("192.0.2.0", NOW) for process in (one, other, one, other, one)] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert other.take("198.51.100.0", NOW)
    assert Allowance("answers", most=3, seconds=30).take("192.0.2.0", NOW)
    assert one.take("192.0.2.0", NOW + timedelta(seconds=30))


@pytest.mark.parametrize("call", ["add", "incr"])
def test_a_cache_that_does_not_answer_keeps_nobody_out(monkeypatch, call):
    def silent(*args, **kwargs):
        raise NoAnswer

    allowance = Allowance("guesses", most=1, seconds=30)
    assert allowance.take("192.0.2.0", NOW) and not allowance.take("192.0.2.0", NOW)
    monkeypatch.setattr(type(cache._connections[cache._alias]), call, silent)
    assert allowance.take("192.0.2.0", NOW)
