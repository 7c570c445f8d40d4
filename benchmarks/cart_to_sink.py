"""From a cart's due moment to the sink by the whole way: 10,000 carts fall due within one minute.

    python -m benchmarks.cart_to_sink [--carts 10000] [--seconds 60] [--senders 2]

The trigger looks every 15 seconds as the beat makes it, people move on at once, real senders send by real SMTP
into a sink, with real fsync. A cart falls due between two looks: half of that time is in every figure.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.due_to_sink import SINK_PORT, percentile
from benchmarks.ground import ground

DELAY = timedelta(minutes=8)


def leave(carts: int, seconds: float, start: datetime) -> tuple[Any, dict[str, datetime]]:
    """A running campaign, and carts that fall due one after the other from `start` on."""
    from campaigns.models import FlowVersion, Step
    from tests.campaigns import mailing
    from tracking.models import Cart

    campaign = mailing.campaign(
        trigger_params={"delay_minutes": "8"}, expires_after=timedelta(hours=3), launched_at=start
    )
    campaign.current = FlowVersion.objects.create(campaign=campaign, frozen_at=start)
    campaign.save()
    template = mailing.template(of_a_cart=True)
    Step.objects.create(
        version=campaign.current, key="first", position=1, kind="campaigns.send_email", template=template
    )
    people = mailing.people(carts, campaign.purpose)
    due = {
        who.email: start + timedelta(seconds=1 + number * seconds / carts)
        for number, who in enumerate(people)
    }
    left = mailing.carts(people)
    for cart in left:
        cart.changed_at = due[cart.contact.email] - DELAY
        cart.opened_at = cart.changed_at - timedelta(minutes=5)
    Cart.objects.bulk_update(left, ["changed_at", "opened_at"], batch_size=1000)
    return campaign, due


def measure(
    environment: Mapping[str, str], carts: int, seconds: float, senders: int, record: Path
) -> tuple[list[float], list[float]]:
    """Seconds from due to accepted, and the seconds each look took that let somebody in."""
    from django.db import connection

    from campaigns.flows import journeys
    from crm.kernel import clock
    from crm.kernel.work import Budget
    from tests.sink.records import read

    start = clock.now() + timedelta(seconds=20 + carts / 300)
    _, due = leave(carts, seconds, start)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    command = [sys.executable, "manage.py", "deliver", "--poll", "0.25"]
    fleet = [subprocess.Popen(command, env=dict(environment)) for _ in range(senders)]
    looks: list[float] = []
    try:
        if clock.now() > start:
            raise RuntimeError("the machine was too slow to prepare everything before the first was due")
        while len(arrived := [one for one in read(record) if one.recipient in due]) < carts:
            now = clock.now()
            time.sleep(15 - now.timestamp() % 15)
            began = time.monotonic()
            if journeys.enrol(clock.now(), Budget(30)):
                journeys.advance(clock.now(), Budget(30))
                looks.append(time.monotonic() - began)
    finally:
        for one in fleet:
            one.terminate()
        for one in fleet:
            one.wait(60)
    return [one.at - due[one.recipient].timestamp() for one in arrived], looks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carts", type=int, default=10_000)
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
            lags, looks = measure(environment, given.carts, given.seconds, given.senders, record)
            print(
                f"{given.carts} carts due within {given.seconds:g} s, {given.senders} senders: due to sink "
                + ", ".join(f"p{percent} {percentile(lags, percent):.1f} s" for percent in (50, 95, 99, 100))
            )
            print(f"letting in and moving on: {given.carts / sum(looks):.0f} people a second")
        finally:
            sink.kill()
            sink.wait()


if __name__ == "__main__":
    main()
