"""What one sender may send: tokens of a bucket, sizes, and seconds for a body."""

import asyncio
from math import ceil
from time import monotonic

import pytest

from tests.collecting import Collector, event, message, running
from tests.servers import Run
from tracking.collect import limits
from tracking.collect.http import Refuse, Request


def test_a_bucket_lets_through_its_burst_and_then_its_rate() -> None:
    buckets = limits.Buckets(rate=2, burst=3, most=2)

    assert [buckets.take("a", 10) for _ in range(4)] == [True, True, True, False]
    assert [buckets.take("a", 10.6) for _ in range(2)] == [True, False]
    assert buckets.take("b", 10.6)
    assert [buckets.take("a", 100) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("address", "kept"),
    [("203.0.113.77", "203.0.113.0"), ("2001:db8:1:2::3", "2001:db8:1::"), ("x", ""), ("", "")],
)
def test_of_an_address_only_its_neighbourhood_is_kept(address: str, kept: str) -> None:
    assert limits.network(address) == kept


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)

    async def receive() -> dict:
        await asyncio.sleep(5)
        return {}

    request = Request({"method": "POST", "path": "/c", "headers": [], "client": None}, receive)
    with pytest.raises(Refuse, match="slow"):
        asyncio.run(request.body())


def test_who_sends_too_much_is_asked_to_wait(tracked_shop: object, servers_run: Run) -> None:
    with running(servers_run.environment() | {"REKINDLE_COLLECT_RATE": "1"}) as slow:
        told = message(event("page")["id"], event("page"))
        began = monotonic()
        answers = [slow.collect(told) for _ in range(limits.BURST_SECONDS + 12)]
        grown = ceil(monotonic() - began) + 1  # one more may be sent with every second that goes by

    assert answers[: limits.BURST_SECONDS] == [204] * limits.BURST_SECONDS
    assert answers.count(204) <= limits.BURST_SECONDS + grown
    assert set(answers) == {204, 429}


def test_a_proxys_word_counts_only_where_there_is_one(collector: Collector) -> None:
    from tracking.models import InboundEvent

    collector.collect(message(event("page")["id"], event("page")), X_Forwarded_For="198.51.100.7")

    assert InboundEvent.objects.get().ip_truncated == "127.0.0.0"
