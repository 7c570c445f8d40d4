"""S9, for quiet hours: a message that waits for nine in the morning leaves once, at nine, also in the nights
in which the clocks change; whether the gate made it wait or the fence.
"""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from campaigns.flows import journeys
from crm.kernel.work import Budget
from crm.models import Contact
from tests.campaigns import mailing
from tests.campaigns.gatehouse import DAY, HOUR, MINUTE, by_hand, put_in, writes
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_enters_by_themselves():
    with by_hand():
        yield


# The days in 2026 whose nights have an hour more or less (Lord Howe: half an hour).
CHANGES = {
    "Europe/Berlin": [(3, 29), (10, 25)],
    "America/New_York": [(3, 8), (11, 1)],
    "Australia/Lord_Howe": [(4, 5), (10, 4)],
    "America/Santiago": [(4, 5), (9, 6)],
}


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("turn", [0, 1])
def test_nine_in_the_morning_comes_once_when_the_clocks_change(zone, turn, settings):
    there = ZoneInfo(zone)
    morning = datetime(2026, *CHANGES[zone][turn], 9, tzinfo=there)
    evening = datetime.combine(morning.date() - DAY, time(20, 30), tzinfo=there)
    assert morning.utcoffset() != evening.utcoffset()
    nine, evening = morning.astimezone(UTC), evening.astimezone(UTC)
    campaign = writes("Good morning", quiet_hours=True, launched_at=evening - DAY)
    at_the_gate, at_the_fence = mailing.people(2, campaign.purpose)
    Contact.objects.update(time_zone=zone)
    put_in(campaign, at_the_fence, at=evening - HOUR)
    journeys.advance(evening - HOUR, Budget(30))  # made in the last hour, and in the queue when it ends
    put_in(campaign, at_the_gate, at=evening)
    left = []
    with SmtpSink() as sink:
        mailing.into(sink, settings, conversations=1)
        for moment in every(30 * MINUTE, evening, nine + 2 * HOUR):
            before = len(sink.accepted())
            journeys.advance(moment, Budget(30))
            mailing.send(moment)
            left += [moment] * (len(sink.accepted()) - before)
        to = sorted(mail.recipient for mail in sink.accepted())
    assert left == [nine, nine]
    assert to == sorted([at_the_gate.email, at_the_fence.email])


def every(step, first, last):
    moment = first
    while moment <= last:
        yield moment
        moment += step
