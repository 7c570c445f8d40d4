"""S15: carts fall due while a campaign to a hundred thousand is on its way out, to servers that slow it down.
The worker, the schedule, the broker and the receiving server are real.
"""

import os
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from campaigns.flows import launching
from campaigns.flows.kinds import playbooks
from campaigns.models import Campaign, Delivery, Enrolment
from crm.kernel import clock
from crm.models import Purpose
from tests.campaigns import falling_due, mailing
from tests.campaigns.flows import stage
from tests.chaos.senders import WORKER, Senders, wait_until
from tests.sink.faults import Fault
from tests.sink.smtp import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone, pytest.mark.chaos]

BEAT = ("-m", "celery", "-A", "config", "beat", "--pidfile=", "-l", "ERROR")
AT_ONCE = 10_000
REMINDED = 2_000_001  # the number of the first who leaves a cart
TO_THEM = "person2??????@*"
SECONDS = 60
THROTTLED = (
    Fault("mail", delay=0.0, recipient=TO_THEM),
    # The servers of the campaign's people: slow, and now and then they want no more for a while.
    Fault("dot", delay=0.0, recipient=TO_THEM),
    Fault("dot", delay=0.1),
    Fault("rcpt", delay=0.0, recipient=TO_THEM),
    Fault("rcpt", reply="450 4.7.1 too many from you, come back later", percent=5),
    Fault("rcpt", reply="421 4.7.0 too many connections", percent=0.2),
)


def campaign_to(count: int, now: datetime) -> Campaign:
    """A broadcast to so many, whose hour has just struck."""
    purpose = Purpose.objects.get(key="newsletter")
    for first in range(1, count + 1, AT_ONCE):
        mailing.people(min(AT_ONCE, count + 1 - first), purpose, first=first)
    at = clock.now().replace(second=0, microsecond=0)
    return stage.flow(
        stage.SEND,
        name="News",
        trigger="campaigns.on_date",
        trigger_params={"at": at.strftime("%Y-%m-%dT%H:%M"), "zone": "shop", "segment": ""},
        purpose=purpose,
        launched_at=at - timedelta(hours=1),
        priority=80,
        in_caps=True,
    )


@pytest.mark.parametrize(("recipients", "reminders"), [(int(os.environ.get("S15", "100000")), 500)])
def test_reminders_are_on_time_while_a_campaign_to_everybody_is_on_its_way(
    child_environment, clean_broker, recipients, reminders
):
    falling_due.shop(clock.now())
    play = playbooks.get("campaigns.abandoned_cart").make(clock.now(), only_first=True, control_share="0")
    campaign_to(recipients, clock.now())
    launching.launch(play, None, clock.now())
    with (
        SmtpSink(*THROTTLED, keep_raw=False) as sink,
        Senders(child_environment, sink, REKINDLE_CONVERSATIONS=8) as fleet,
    ):
        fleet.start(1, WORKER)
        fleet.start(1, BEAT)
        wait_until(lambda: len(sink.accepted()) >= recipients // 200, 300, "the first of the campaign")
        due = falling_due.carts_due(reminders, clock.now() + timedelta(seconds=10), SECONDS, first=REMINDED)
        sent_before = len(sink.accepted())

        def reminded() -> dict[str, float]:
            return {
                one.recipient: one.at - due[one.recipient].timestamp()
                for one in sink.accepted()
                if one.recipient in due
            }

        until = (max(due.values()) - clock.now()).total_seconds() + 240
        wait_until(lambda: len(reminded()) == reminders, until, "the reminders")
        late = sorted(reminded().values())
        waiting = recipients - Delivery.objects.filter(campaign__name="News", state="sent").count()
        beside = len(sink.accepted()) - sent_before - reminders
        ways = [_way(one) for one in Delivery.objects.filter(campaign=play, state="sent")]
    p99 = late[int(len(late) * 0.99)]
    print(
        f"\nS15: {recipients:,} recipients, {reminders} reminders due in {SECONDS} s: half within"
        f" {late[len(late) // 2]:.1f} s, p99 {p99:.1f} s, last {late[-1]:.1f} s; {beside:,} of the campaign"
        f" left meanwhile, {waiting:,} were still to go; load {os.getloadavg()[0]:.1f}"
    )
    for name, place in (("let in", 0), ("queued", 1), ("handed over", 2)):
        spans = sorted(way[place] for way in ways)
        print(f"  {name}: half within {spans[len(spans) // 2]:.1f} s, all within {spans[-1]:.1f} s")
    assert waiting > 0 and beside > 0
    assert p99 <= 60


def _way(delivery: Delivery) -> list[float]:
    """Seconds from due to let in, from there to the queue, from there to the fence."""
    run = Enrolment.objects.get(pk=delivery.enrolment_id)
    moments = [run.qualified_at, run.entered_at, delivery.created_at, delivery.fenced_at]
    return [(after - before).total_seconds() for before, after in pairwise(moments)]
