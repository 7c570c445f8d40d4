"""From a cart's due moment to the sink, with 10,000 falling due within one minute; then all of them at once.

    python -m benchmarks.due_to_sink [--messages 10000] [--seconds 60] [--senders 2]

Real senders, real SMTP, real fsync. The first figure is about time, the second about messages a second.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.ground import ground

SINK_PORT = 2531


def measure(
    environment: Mapping[str, str], messages: int, seconds: float, senders: int, record: Path
) -> list[float]:
    """Seconds from due to accepted, in the order of arrival."""
    from django.db import connection

    from campaigns.delivery import outbox
    from crm.kernel import clock
    from tests.campaigns import mailing
    from tests.sink.records import read

    what = mailing.campaign(name=f"Over {seconds:g} s")
    people = mailing.people(messages, what.purpose, first=int(seconds) * 1_000_000)
    carts = mailing.carts(people)
    text = mailing.template(of_a_cart=True)
    start = clock.now() + timedelta(seconds=10 + messages / 1_000)
    due = {
        who.email: start + timedelta(seconds=number * seconds / messages) for number, who in enumerate(people)
    }
    outbox.enqueue(
        mailing.message(who, what, cart, template=text, due_at=due[who.email], not_before=due[who.email])
        for who, cart in zip(people, carts, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    command = [sys.executable, "manage.py", "deliver", "--poll", "0.25"]
    fleet = [subprocess.Popen(command, env=dict(environment)) for _ in range(senders)]
    try:
        if clock.now() > start:
            raise RuntimeError("the machine was too slow to prepare everything before the first was due")
        while len(arrived := [one for one in read(record) if one.recipient in due]) < messages:
            time.sleep(1)
    finally:
        for one in fleet:
            one.terminate()
        for one in fleet:
            one.wait(60)
    return [one.at - due[one.recipient].timestamp() for one in arrived]


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--senders", type=int, default=2)
    given = parser.parse_args()
    with TemporaryDirectory() as folder, ground() as environment:
        record = Path(folder) / "accepted"
        sink = subprocess.Popen(
            [sys.executable, "-m", "tests.sink.smtp", "--port", str(SINK_PORT), "--record", str(record)]
        )
        environment |= {"EMAIL_URL": f"smtp://127.0.0.1:{SINK_PORT}", "REKINDLE_SAFE_SINK": "1"}
        try:
            lags = measure(environment, given.messages, given.seconds, given.senders, record)
            print(
                f"{given.messages} due within {given.seconds:g} s, {given.senders} senders: due to sink "
                + ", ".join(f"p{percent} {percentile(lags, percent):.2f} s" for percent in (50, 95, 99, 100))
            )
            lags = measure(environment, given.messages, 0, given.senders, record)
            span = max(lags) - percentile(lags, 2)
            print(f"all at once: {given.messages * 0.98 / span:.0f} messages/s into the sink")
        finally:
            sink.kill()
            sink.wait()


if __name__ == "__main__":
    main()
