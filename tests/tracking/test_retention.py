"""Raw data and unknown visitors are not kept for ever; the next months have room before they begin."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from crm.kernel import clock
from crm.ticking import run_tick
from tracking import tasks
from tracking.models import InboundEvent, Visitor, VisitorEvent

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 31, 12, tzinfo=UTC)


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'tracking_event'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


def test_old_raw_rows_and_visitors_are_forgotten_and_young_ones_stay() -> None:
    for state, days in (("applied", 8), ("applied", 6), ("parked", 8), ("parked", 91), ("new", 200)):
        InboundEvent.objects.create(
            source="collect", body={}, state=state, received_at=NOW - timedelta(days=days)
        )
    for days in (31, 2):
        at = NOW - timedelta(days=days)
        visitor = Visitor.objects.create(id=uuid.uuid4(), first_seen_at=at, last_seen_at=at)
        VisitorEvent.objects.create(
            id=uuid.uuid4(), visitor=visitor, kind="page", occurred_at=at, recorded_at=at
        )

    run_tick("tracking.tidy", NOW)

    assert sorted(InboundEvent.objects.values_list("state", flat=True)) == ["applied", "new", "parked"]
    assert Visitor.objects.count() == VisitorEvent.objects.count() == 1


def test_months_ahead_have_room() -> None:
    run_tick("tracking.tidy", NOW)

    assert {
        f"tracking_event_{month}" for month in ("2027_03", "2027_04", "2027_05", "2027_06")
    } <= partitions()


def test_the_ingest_tick_reads_until_nothing_waits() -> None:
    at = int(clock.now().timestamp() * 1000)
    for _ in range(3):
        one = {"id": str(uuid.uuid4()), "t": "page", "at": at}
        InboundEvent.objects.create(source="collect", body={"v": str(uuid.uuid4()), "s": at, "e": [one]})

    assert run_tick("tracking.ingest", clock.now()) == 3
    assert tasks.read_inbound.__doc__
