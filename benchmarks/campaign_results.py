"""results_p95_ms, results_growth: the figures of a campaign's results, with a million runs and messages.

    python -m benchmarks.campaign_results [--people 1000000]

One campaign that compares two messages and holds out a fifth, everybody in it once over sixty days; one in
ten clicks, one in twelve buys, one in three hundred unsubscribes; as many people again in another campaign.
Asked is what the pages ask: the comparison with its chances, the lift, the steps, the campaign's line in the
list, the funnel of carts on the home page. A tenth of the people shows how the cost grows, and that as many
queries are asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import timedelta
from math import log10
from time import perf_counter
from typing import Any

from benchmarks import effort, ground, results
from benchmarks.crowd import NOW
from benchmarks.seeding import told, without_indexes

ROUNDS = 7
DAYS = 60
FILLED = (
    "crm_contact",
    "crm_order",
    "crm_consentevent",
    "campaigns_enrolment",
    "campaigns_delivery",
    "campaigns_decision",
    "tracking_event",
    "campaigns_ordercredit",
)
_KEY = "('{0:08x}-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
_HASH = "sha256(int8send(n))"
_AT = f"%(now)s - interval '{DAYS} days' + n * interval '{DAYS} days' / {{people}}"
_CAMPAIGN = "CASE mod(n, 2) WHEN 0 THEN {other} ELSE t.campaign_id END"
_ARM = "CASE mod(n, 5) WHEN 0 THEN 'control' ELSE 'treatment' END"


def _times(row: Any, having: str = "TRUE", **other: str) -> str:
    """The statement that writes such a row for every number `n`, but for some columns."""
    columns = [field.column for field in row._meta.concrete_fields]
    chosen = ", ".join(other.get(column, f"t.{column}") for column in columns)
    table = row._meta.db_table
    one = f"t.{row._meta.pk.column} = %(row)s"
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table} AS t"
        f" CROSS JOIN generate_series(1, {{people}}) AS n WHERE {one} AND {having}"
    )


def fill(people: int, address: str) -> Any:
    """Everything into an empty database; returns the campaign."""
    from django.db import connection

    from campaigns.models import Decision, Enrolment, OrderCredit, StepVariant
    from crm.models import ConsentEvent, Contact, Order
    from tests.campaigns import mailing
    from tests.campaigns.flows.stage import SEND, flow
    from tracking.models import Event

    with connection.cursor() as cursor:
        for month in range(4):
            cursor.execute("SELECT tracking_make_partition(%s)", [(NOW - timedelta(days=30 * month)).date()])
    at = NOW - timedelta(days=DAYS + 1)
    common = {"launched_at": at, "control_share": "0.2", "reentry_days": 7}
    campaign, other = (flow(SEND, name=name, **common) for name in ("Compared", "Another"))
    step = campaign.current.steps.get()
    for place, label in enumerate("AB"):
        StepVariant.objects.create(
            step=step, label=label, position=place, template=mailing.template(f"Message {label}")
        )
    contact = Contact.objects.create(first_name="P", email="p@example.com", created_at=at)
    order = Order.objects.create(
        contact=contact,
        source="api",
        external_id="o",
        currency="EUR",
        total=40,
        occurred_at=at,
        recorded_at=at,
    )
    run = Enrolment.objects.create(
        contact=contact,
        campaign=campaign,
        version=campaign.current,
        entry="e",
        qualified_at=at,
        entered_at=at,
        subject_kind="cart",
        state="finished",
    )
    message = mailing.message(
        contact,
        campaign,
        state="sent",
        variant="A",
        step_key=step.key,
        enrolment_id=run.pk,
        subject_kind="cart",
        template=mailing.template("Message A"),
        finished_at=at,
        created_at=at,
    )
    message.address_hash = b"-" * 32
    with connection.cursor() as cursor:
        # What is laid out here has ended already: no trigger asks how.
        cursor.execute("SET session_replication_role = replica")
    message.save()
    said = Decision.objects.create(
        contact=contact, campaign=campaign, verdict="skipped", words="-", step_key=step.key, decided_at=at
    )
    clicked = Event.objects.create(
        contact=contact, kind="click", occurred_at=at, recorded_at=at, actor="human"
    )
    left = ConsentEvent.objects.create(
        address_hash=b"-" * 32,
        position=1,
        channel="email",
        purpose=campaign.purpose,
        action="withdrawn",
        source_kind="unsubscribe",
        occurred_at=at,
        detail_digest=b"-",
        prev_sha256=b"-",
        row_sha256=b"-",
    )
    credit = OrderCredit.objects.create(
        contact=contact,
        order_id=order.pk,
        delivery_id=message.pk,
        campaign=campaign,
        how="click",
        touched_at=at,
        ordered_at=at,
        amount=40,
        currency="EUR",
        at_once=True,
    )
    of_campaign = {"campaign_id": _CAMPAIGN.format(other=other.pk)}
    person, public = {"contact_id": _KEY.format(2)}, _KEY.format(5)
    bought, after = "mod(n, 12) = 1", f"{_AT} + interval '2 days'"
    statements = [
        (contact, _times(contact, id=_KEY.format(2))),
        (
            order,
            _times(
                order,
                bought,
                id=_KEY.format(3),
                external_id="'o' || n",
                occurred_at=after,
                recorded_at=after,
                total="20 + mod(n, 90)",
                **person,
            ),
        ),
        (
            run,
            _times(
                run, id=_KEY.format(4), qualified_at=_AT, entered_at=_AT, arm=_ARM, **person, **of_campaign
            ),
        ),
        (
            message,
            _times(
                message,
                "mod(n, 5) <> 0",
                id="1000 + n",
                public_id=public,
                dedupe_key="'d' || n",
                enrolment_id=_KEY.format(4),
                variant="CASE mod(n / 2, 2) WHEN 0 THEN 'A' ELSE 'B' END",
                created_at=_AT,
                due_at=_AT,
                not_before=_AT,
                finished_at=_AT,
                address_hash=_HASH,
                **person,
                **of_campaign,
            ),
        ),
        (
            said,
            _times(
                said,
                "mod(n, 5) = 0",
                id=_KEY.format(6),
                verdict="'held_out'",
                decided_at=_AT,
                **person,
                **of_campaign,
            ),
        ),
        (
            clicked,
            _times(
                clicked,
                "mod(n, 10) = 1",
                id=_KEY.format(7),
                ref=public,
                occurred_at=f"{_AT} + interval '1 h'",
                **person,
            ),
        ),
        (left, _times(left, "mod(n, 300) = 1", id=_KEY.format(8), address_hash=_HASH, occurred_at=after)),
        (
            credit,
            _times(
                credit,
                f"{bought} AND mod(n, 10) = 1",
                id=_KEY.format(9),
                order_id=_KEY.format(3),
                delivery_id="1000 + n",
                ordered_at=after,
                touched_at=after,
                **person,
                **of_campaign,
            ),
        ),
    ]
    with without_indexes(address, FILLED), connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        for row, statement in statements:
            cursor.execute(statement.format(people=people), {"now": NOW, "row": row.pk})
    for row in (credit, left, clicked, said, message, run, order):
        type(row).objects.filter(pk=row.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("RESET synchronous_commit")
        cursor.execute("VACUUM ANALYZE")
    return campaign


def questions(campaign: Any) -> dict[str, Callable[[], Any]]:
    from campaigns.results import experiments, lift, reporting, steps

    month = NOW - timedelta(days=30)
    return {
        "comparison": lambda: experiments.experiments(campaign, campaign.current, NOW),
        "lift": lambda: lift.lift(campaign, NOW),
        "steps, 30 days": lambda: steps.at_steps(campaign, month),
        "list of campaigns, 30 days": lambda: reporting.campaigns_at_work(month),
        "funnel of carts, 30 days": lambda: reporting.cart_funnel(month, NOW),
    }


def measure(people: int) -> dict[str, tuple[float, float, int]]:
    """By question: p95 in ms on the clock, ms of processor (the middle), queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    began = perf_counter()
    with ground.ground() as environment:
        campaign = fill(people, environment["DATABASE_URL"])
        told(began, f"{people:,} people in two campaigns")
        found = {}
        for name, ask in questions(campaign).items():
            with CaptureQueriesContext(connection) as queries:
                ask()
            costs = sorted((effort.of(ask)[1] for _ in range(ROUNDS)), key=lambda one: one.wall)
            cpu = sorted(one.cpu for one in costs)[ROUNDS // 2]
            found[name] = costs[-1].wall * 1000, cpu * 1000, len(queries)
            print(
                f"{people:,}: {name}: {found[name][0]:.0f} ms on the clock at most, {cpu * 1000:.0f} ms of"
                f" processor, {len(queries)} queries",
                flush=True,
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    whole = parser.parse_args().people
    few, many = measure(whole // 10), measure(whole)
    assert all(few[name][2] == many[name][2] for name in many), "the number of queries grows with the people"
    growth = max(log10(many[name][1] / few[name][1]) for name in many)
    slowest = max(one[1] for one in many.values())
    results.note("results_ms", slowest, better="lower", floor=4000, moonshot=1000, n=whole, digits=0)
    results.note("results_growth", growth, better="lower", floor=1.1, moonshot=1.0, n=whole)


if __name__ == "__main__":
    main()
