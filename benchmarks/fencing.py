"""fence_us, fence_limits_us: what the fence costs a message, outside the frequency limits and under them.

    python -m benchmarks.fencing [--messages 2000] [--profile]

Messages about carts to as many people, each of whom had five before; eight at once, as many as wait for the
fence at the same moment where eight conversations go on. Real fsync. Processor time, ours and the server's;
beside it in turns the same rows by the bare statements (one UPDATE, one INSERT), no guard asked, and the same
fence where nothing is prepared, as behind a pooler.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import batched
from statistics import median
from typing import Any

from benchmarks import effort, ground, results

AT_ONCE, ROUNDS, BEFORE = 8, 5, 5
BARE = """
    WITH fenced AS (
        UPDATE campaigns_delivery SET state = 'sending', fenced_at = %(now)s, attempts = attempts + 1
        FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[]) AS w(waiting_id, waiting_token)
        WHERE id = waiting_id AND lease_token = waiting_token RETURNING id, lease_token, message_sha256
    )
    INSERT INTO campaigns_deliveryattempt
        (delivery_id, lease_token, fenced_at, message_sha256, result, response)
    SELECT id, lease_token, %(now)s, message_sha256, '', '' FROM fenced RETURNING delivery_id
"""


def lay_out(count: int) -> None:
    """People with carts, the messages they had, and one more in the queue for each."""
    from django.db import connection

    from campaigns.models import Delivery
    from tests.campaigns import mailing

    what = mailing.campaign()
    people = mailing.people(count, what.purpose)
    carts = mailing.carts(people)
    text = mailing.template(of_a_cart=True)
    had = [
        mailing.message(
            who,
            what,
            template=text,
            dedupe_key=f"{who.pk}:{number}",
            counts=True,
            created_at=mailing.AT - timedelta(days=3 * number),
            state="queued",
        )
        for who in people
        for number in range(1, BEFORE + 1)
    ]
    Delivery.objects.bulk_create(had, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE campaigns_delivery SET state = 'sent', fenced_at = created_at, finished_at = created_at"
        )
        cursor.execute("SET session_replication_role = origin")
    Delivery.objects.bulk_create(
        [mailing.message(who, what, cart, template=text) for who, cart in zip(people, carts, strict=True)],
        batch_size=1000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def again(counts: bool) -> list[Any]:
    """All messages claimed anew, as if none had left."""
    from django.db import connection

    from campaigns.delivery import claiming
    from tests.campaigns import mailing

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE campaigns_delivery SET state = 'queued', fenced_at = NULL, counts = %s"
            " WHERE state <> 'sent'",
            [counts],
        )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM campaigns_delivery")
    return claiming.claim("email", mailing.AT, 100_000)


def bare(deliveries: Sequence[Any]) -> set[int]:
    from campaigns.delivery.statements import run
    from tests.campaigns import mailing

    values = {
        "ids": [one.id for one in deliveries],
        "tokens": [one.lease_token for one in deliveries],
        "now": mailing.AT,
    }
    return {row[0] for row in run(BARE, values)}


def us(deliveries: Sequence[Any], act: Callable[[Sequence[Any]], set[int]]) -> float:
    """Microseconds of processor a message."""

    def all_of_them() -> int:
        return sum(len(act(some)) for some in batched(deliveries, AT_ONCE))

    left, cost = effort.of(all_of_them)
    assert left == len(deliveries), f"only {left} of {len(deliveries)} may leave"
    return cost.cpu * 1e6 / len(deliveries)


def measure() -> tuple[float, float, float, float]:
    """Without limits, with them, these unprepared, and by hand: the middle of some rounds in turn."""
    from django.db import connection

    from campaigns.delivery import fencing
    from tests.campaigns import mailing

    def fenced(some: Sequence[Any]) -> set[int]:
        return fencing.fence(list(some), mailing.AT)

    taken: tuple[list[float], ...] = ([], [], [], [])
    for _ in range(ROUNDS + 1):
        taken[0].append(us(again(counts=False), fenced))
        taken[1].append(us(again(counts=True), fenced))
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
        taken[2].append(us(again(counts=True), fenced))
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False
        taken[3].append(us(again(counts=False), bare))
    without, under, unprepared, by_hand = (median(some[1:]) for some in taken)
    return without, under, unprepared, by_hand


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with ground.ground():
        from django.conf import settings

        settings.REKINDLE_SAFE_SINK, settings.REKINDLE_LEASE_SECONDS = True, 3600
        lay_out(given.messages)
        if given.profile:
            explain(again(counts=True)[:AT_ONCE])
            return
        without, under, unprepared, by_hand = measure()
    print(
        f"a message: {without:.0f} µs, under limits {under:.0f} µs (unprepared {unprepared:.0f} µs),"
        f" by hand {by_hand:.0f} µs; load {os.getloadavg()[0]:.1f}"
    )
    results.note("fence_us", without, better="lower", floor=400, moonshot=100, n=given.messages, digits=0)
    results.note(
        "fence_limits_us", under, better="lower", floor=400, moonshot=150, n=given.messages, digits=0
    )


def explain(deliveries: Sequence[Any]) -> None:
    """Where the time of the statement goes."""
    from campaigns.delivery import fencing
    from campaigns.delivery.questions import all_guards
    from campaigns.delivery.statements import run
    from tests.campaigns import mailing

    values = {
        "ids": [one.id for one in deliveries],
        "tokens": [one.lease_token for one in deliveries],
        "now": mailing.AT,
        "seconds": 60,
    }
    statement = fencing._fence_statement(all_guards())
    for (line,) in run(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", values):
        print(line)


if __name__ == "__main__":
    main()
