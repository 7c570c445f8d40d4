"""From a cart's due moment to the sink, with 10,000 carts falling due within one minute.

    python -m benchmarks.due_to_sink [--carts 10000] [--seconds 60]

Three figures, with real SMTP and real fsync: the whole way as `make run` goes it (worker and beat: trigger,
journey, delivery); the delivery's own part of it (messages queued beforehand, two `manage.py deliver`); and
messages a second when all are due at once.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import results
from benchmarks.ground import ground

SINK_PORT = 2531
SENDER = ("manage.py", "deliver", "--poll", "0.25")
WORKER = ("-m", "celery", "-A", "config", "worker", "--pool", "threads", "--concurrency", "4", "-l", "ERROR")
BEAT = ("-m", "celery", "-A", "config", "beat", "--pidfile=", "-l", "ERROR")

Due = dict[str, datetime]


def queue(count: int, start: datetime, seconds: float, first: int) -> Due:
    """Messages in the queue, each due at its moment."""
    from campaigns.delivery import outbox
    from tests.campaigns import falling_due, mailing

    what = mailing.campaign(name=f"Queued, over {seconds:g} s")
    people = mailing.people(count, what.purpose, first=first)
    carts = mailing.carts(people)
    text = mailing.template(of_a_cart=True)
    due = falling_due.moments([who.email for who in people], start, seconds)
    outbox.enqueue(
        mailing.message(who, what, cart, template=text, due_at=due[who.email], not_before=due[who.email])
        for who, cart in zip(people, carts, strict=True)
    )
    return due


def leave(count: int, start: datetime, seconds: float, first: int) -> Due:
    """Carts left so that each falls due at its moment, and the play that waits for them."""
    from campaigns.flows import launching
    from campaigns.flows.kinds import playbooks
    from crm.kernel import clock
    from tests.campaigns import falling_due

    now = clock.now()
    falling_due.shop(now)
    campaign = playbooks.get("campaigns.abandoned_cart").make(now, only_first=True, control_share="0")
    launching.launch(campaign, None, now)
    return falling_due.carts_due(count, start, seconds, first)


def measure(
    due: Due, commands: Sequence[Sequence[str]], environment: Mapping[str, str], record: Path
) -> list[float]:
    """Seconds from due to accepted, one a cart."""
    from django.db import connection

    from crm.kernel import clock
    from tests.sink.records import read

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    fleet = [
        subprocess.Popen([sys.executable, *command], env=dict(environment), stdout=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        if clock.now() > min(due.values()):
            raise RuntimeError("the machine was too slow to prepare everything before the first was due")
        while len(arrived := [one for one in read(record) if one.recipient in due]) < len(due):
            time.sleep(1)
    finally:
        for one in fleet:
            one.terminate()
        for one in fleet:
            one.wait(60)
    return sorted(one.at - due[one.recipient].timestamp() for one in arrived)


def percentile(ordered: Sequence[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def told(lags: Sequence[float]) -> str:
    return ", ".join(f"p{percent} {percentile(lags, percent):.1f} s" for percent in (50, 95, 99, 100))


@contextmanager
def sink(record: Path):
    command = [sys.executable, "-m", "tests.sink.smtp", "--port", str(SINK_PORT), "--record", str(record)]
    record.touch()
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with TemporaryDirectory() as folder, ground() as environment, sink(record := Path(folder) / "accepted"):
        from crm.kernel import clock

        environment |= {"EMAIL_URL": f"smtp://127.0.0.1:{SINK_PORT}", "REKINDLE_SAFE_SINK": "1"}

        def start() -> datetime:
            """Late enough for everything to be prepared and running."""
            return clock.now() + timedelta(seconds=20 + given.carts / 250)

        what = f"{given.carts} carts due within {given.seconds:g} s"
        due = leave(given.carts, start(), given.seconds, first=1)
        lags = measure(due, (WORKER, BEAT), environment, record)
        print(f"{what}, worker and beat, due to sink: {told(lags)}")
        results.note(
            "due_to_sink_p99_s", percentile(lags, 99), better="lower", floor=60, moonshot=5, n=given.carts
        )
        due = queue(given.carts, start(), given.seconds, first=1_000_001)
        print(f"{what}, already queued, two senders: {told(measure(due, [SENDER] * 2, environment, record))}")
        due = queue(given.carts, start(), 0, first=2_000_001)
        lags = measure(due, [SENDER] * 2, environment, record)
        rate = given.carts * 0.96 / (percentile(lags, 98) - percentile(lags, 2))
        print(f"{given.carts} due at once, two senders: {rate:.0f} messages/s into the sink")


if __name__ == "__main__":
    main()
