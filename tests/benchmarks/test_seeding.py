"""The made-up shop that speed is measured on is a shop as the product itself would have kept it."""

from collections import defaultdict
from uuid import UUID

import pytest
from django.db import connection

from benchmarks import crowd, derived, refreshing, seeding
from benchmarks.shapes import SHAPES
from crm.audience import segmentation
from crm.models import ConsentEvent, ConsentState, Contact, Engagement, Purpose, Suppression
from crm.people import chain, deriving, engagement, permitted
from crm.shop import bought
from tracking.models import Event
from tracking.visits import rollups
from tracking.visits.activity import moments_of

SIZE = crowd.Size(500)
COLUMNS = ("last_seen_at", "last_cart_at", "last_click_at", "last_open_at", "last_order_at", "first_order_at")


def engagements() -> dict[UUID, tuple]:
    rows = Engagement.objects.values_list("contact_id", *COLUMNS, "order_count", "spent", "may_receive")
    return {row[0]: (*row[1:-1], set(row[-1])) for row in rows}


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_seeded_tables_are_what_the_product_would_hold(servers_run):
    address = servers_run.environment()["DATABASE_URL"]
    seeding.fill(SIZE, address)
    derived.derive(address)
    assert Contact.objects.count() == SIZE.contacts
    assert abs(Event.objects.count() / SIZE.events - 1) < 0.1
    no_row_points_to_nowhere()
    what_follows_follows()
    consent_follows_from_its_events()
    every_shape_means_the_same_people_by_hand_and_by_rule()


def no_row_points_to_nowhere() -> None:
    with connection.cursor() as cursor:
        connection.check_constraints([*seeding.FILLED, *derived.TABLES])
        cursor.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        assert cursor.fetchone() == (0,)


def what_follows_follows() -> None:
    assert rollups.differences() == {"counts": 0, "visits": 0} and bought.differences() == 0
    seeded = engagements()
    moments: dict = defaultdict(dict)
    for who, kind, actor, at in Event.objects.values_list("contact_id", "kind", "actor", "occurred_at"):
        for moment in moments_of(kind, actor in ("human", "likely_human")):
            moments[moment][who] = max(at, moments[moment].get(who, at))
    Engagement.objects.all().delete()
    for moment, people in moments.items():
        engagement.touch(moment, people)
    engagement.recount_orders(Contact.objects.filter(orders__isnull=False).values_list("pk", flat=True))
    permitted.keep(Contact.objects.values_list("pk", flat=True))
    assert seeded == engagements()


def consent_follows_from_its_events() -> None:
    events: dict[bytes, list] = defaultdict(list)
    for event in ConsentEvent.objects.all():
        events[bytes(event.address_hash)].append(event)
    purposes = Purpose.objects.in_bulk()
    states: dict = {}
    stops: dict = {}
    for address, said in events.items():
        found = deriving.derive(said, purposes)
        states |= {
            (address, *key): (one.status, one.may_send, one.since) for key, one in found.stands.items()
        }
        stops |= {(address, *key): (one.reason, one.since) for key, one in found.stops.items()}
    kept = ConsentState.objects.values_list(
        "address_hash", "channel", "purpose_id", "status", "may_send", "since"
    )
    assert {(bytes(row[0]), *row[1:3]): row[3:] for row in kept} == states
    kept = Suppression.objects.values_list("address_hash", "channel", "purpose_id", "reason", "since")
    assert {(bytes(row[0]), *row[1:3]): row[3:] for row in kept} == stops
    assert chain.problems(next(address for address, said in events.items() if len(said) == 2)) == []


def every_shape_means_the_same_people_by_hand_and_by_rule() -> None:
    for shape in SHAPES:
        meant = set(
            segmentation.members(shape.rule, crowd.NOW, segmentation.NOW).values_list("pk", flat=True)
        )
        history = set(segmentation.members(shape.rule, crowd.NOW).values_list("pk", flat=True))
        by_hand, by_scan = (
            {row[0] for row in refreshing.run(sql, now=crowd.NOW)} for sql in (shape.by_hand, shape.by_scan)
        )
        assert meant == history == by_hand == by_scan, shape.name
        assert meant, shape.name
