"""S1 and S11: senders killed and stopped at any moment; nobody gets two, none is lost, doubt is listed."""

import random  # noqa: TID251 - moments of the kills, seeded and printed
import signal
import time

import pytest

from campaigns.delivery import outbox
from campaigns.models import Delivery
from config.celery import app
from tests.campaigns import mailing
from tests.chaos.ledger import compare
from tests.chaos.senders import CONVERSATIONS, WORKER, Senders, wait_until
from tests.sink.faults import Fault
from tests.sink.smtp import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

# One that was told to stop while it was still starting ends by the signal; it has claimed nothing yet.
ENDED_WELL = {0, -signal.SIGTERM}
FAULTS = (
    Fault("rcpt", reply="450 4.7.1 later", percent=2),
    Fault("dot", reply="550 5.7.1 never", percent=0.3),
    Fault("dot", drop=True, keep=True, percent=0.2),
    Fault("dot", delay=0.02),
)


def settled() -> bool:
    outbox.reap()
    return not Delivery.objects.filter(state__in=["queued", "claimed", "sending"]).exists()


def bloodbath(environment, recipients: int, kills: int, senders: int, seed: int, seconds: float) -> None:
    chance = random.Random(seed)
    moments = sorted(chance.uniform(0.02, 0.95) * recipients for _ in range(kills))
    mailing.queue(recipients)
    began = time.monotonic()
    with SmtpSink(*FAULTS, seed=seed, keep_raw=False) as sink, Senders(environment, sink) as fleet:
        fleet.start(senders)
        for moment in moments:
            wait_until(lambda m=moment: len(sink.copies()) >= m, seconds, f"{moment:.0f} messages")
            time.sleep(chance.uniform(0, 0.05))
            fleet.kill(chance.randrange(senders))
            fleet.start()
        wait_until(settled, seconds, "the rest")
        assert set(fleet.stop()) <= ENDED_WELL
        drops = Delivery.objects.filter(state="unknown", reason="no_answer").count()
        report = compare(sink)
        took = time.monotonic() - began
        print(f"\nS1: seed {seed}, {kills} kills, {drops} dropped answers, {took:.0f} s: {report}")
        assert report.parked <= kills * CONVERSATIONS + drops
        assert drops <= recipients * 0.01 + 3


@pytest.mark.proof
def test_a_thousand_recipients_and_five_kills(child_environment):
    bloodbath(child_environment, recipients=1_000, kills=5, senders=3, seed=20261, seconds=300)


@pytest.mark.chaos
def test_ten_thousand_recipients_and_fifty_kills(child_environment):
    bloodbath(child_environment, recipients=10_000, kills=50, senders=4, seed=20262, seconds=900)


@pytest.mark.chaos
def test_a_sender_that_was_frozen_and_thawed_does_no_harm(child_environment):
    """S2: frozen for longer than its leases, ten times; whatever it believes, it sends nothing twice."""
    recipients, freezes, seed = 5_000, 10, 20263
    chance = random.Random(seed)
    mailing.queue(recipients)
    with SmtpSink(*FAULTS, seed=seed, keep_raw=False) as sink, Senders(child_environment, sink) as fleet:
        fleet.start(3)
        for number in range(1, freezes + 1):
            goal = number * recipients * 0.8 / freezes
            wait_until(lambda g=goal: len(sink.copies()) >= g, 120, f"{goal:.0f} messages")
            frozen = fleet.freeze(chance.randrange(3))
            time.sleep(6)
            outbox.reap()
            frozen.send_signal(signal.SIGCONT)
        wait_until(settled, 120, "the rest")
        fleet.stop()
        drops = Delivery.objects.filter(state="unknown", reason="no_answer").count()
        report = compare(sink)
        print(f"\nS2: seed {seed}, {freezes} freezes, {drops} answers that never came: {report}")
    assert report.parked <= freezes * CONVERSATIONS + recipients * 0.01 + 3


@pytest.mark.parametrize(
    ("recipients", "rounds"),
    [
        pytest.param(1_000, 5, marks=pytest.mark.proof),
        pytest.param(2_000, 10, marks=pytest.mark.chaos),
    ],
)
def test_a_deploy_leaves_no_doubt(child_environment, recipients, rounds):
    """S11: SIGTERM for all senders, again and again."""
    mailing.queue(recipients)
    with (
        SmtpSink(Fault("dot", delay=0.02), keep_raw=False) as sink,
        Senders(child_environment, sink) as fleet,
    ):
        for number in range(1, rounds + 1):
            fleet.start(2)
            goal = number * recipients * 0.9 / rounds
            wait_until(lambda g=goal: len(sink.copies()) >= g, 300, f"{goal:.0f} messages")
            assert set(fleet.stop()) <= ENDED_WELL
            assert not Delivery.objects.filter(state__in=["claimed", "sending", "unknown"]).exists()
        fleet.start(2)
        wait_until(settled, 300, "the rest")
        fleet.stop()
        report = compare(sink)
        print(f"\nS11: {rounds} times SIGTERM for all: {report}")
    assert report.states == {"sent": recipients}


@pytest.mark.chaos
def test_a_worker_told_to_stop_ends_soon_and_leaves_no_doubt(child_environment, clean_broker):
    mailing.queue(600)
    with (
        SmtpSink(Fault("dot", delay=0.05), keep_raw=False) as sink,
        Senders(child_environment, sink) as fleet,
    ):
        fleet.start(1, WORKER)
        app.send_task("campaigns.deliver", kwargs={"hint": True})
        wait_until(lambda: len(sink.copies()) >= 50, 60, "the first messages")
        began = time.monotonic()
        fleet.stop()
        assert time.monotonic() - began < 15 and len(sink.copies()) < 600
        states = set(mailing.states().values())
        assert states == {"sent", "queued"}
        fleet.start(1)
        wait_until(settled, 60, "the rest")
        fleet.stop()
        assert compare(sink).states == {"sent": 600}
