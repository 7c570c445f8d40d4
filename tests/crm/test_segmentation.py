"""A segment is a rule and the rows of who was in it when."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.audience import segmentation
from crm.kernel.work import Budget
from crm.models import Contact, Heartbeat, Segment, SegmentMembership
from crm.people.identity import Known, resolve
from crm.tasks import consent_check
from crm.ticking import run_tick, ticks

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
RULE = {"all": [{"kind": "crm.name", "params": {"contains": "an"}}]}


@pytest.fixture
def people(db):
    names = ["Ana", "Boris", "Chen", "Dana"]
    resolve([Known(email=f"{n}@example.com", first_name=n) for n in names], NOW, source="shop")


@pytest.fixture
def segment(people):
    return Segment.objects.create(name="An", rule=RULE, created_at=NOW)


def inside(segment):
    stays = SegmentMembership.objects.filter(segment=segment, left_at=None)
    return set(stays.values_list("contact__first_name", flat=True))


def test_a_refresh_writes_only_the_difference_with_its_instants(segment):
    assert segmentation.refresh(segment, NOW) == 2
    assert (inside(segment), segment.size, segment.problem) == ({"Ana", "Dana"}, 2, "")
    Contact.objects.filter(first_name="Ana").update(first_name="Eva")
    Contact.objects.filter(first_name="Boris").update(first_name="Bogdan")
    later = NOW + timedelta(hours=2)
    assert segmentation.refresh(segment, later) == 2
    assert segmentation.refresh(segment, later) == 0
    stays = SegmentMembership.objects.order_by("contact__first_name").values_list("entered_at", "left_at")
    assert list(stays) == [(later, None), (NOW, None), (NOW, later)]


def test_nobody_is_meant_before_we_knew_them(people):
    everybody = {"none": [{"kind": "crm.name", "params": {"contains": "x"}}]}
    assert segmentation.members(everybody, NOW).count() == 4
    assert segmentation.members(everybody, NOW - timedelta(seconds=1)).count() == 0


def test_a_broken_rule_keeps_who_is_in_and_says_why(segment):
    segmentation.refresh(segment, NOW)
    segment.rule = {"all": [{"kind": "crm.gone", "params": {}}]}
    segmentation.refresh(segment, NOW)
    assert inside(segment) == {"Ana", "Dana"}
    assert "crm.gone" in Segment.objects.get().problem
    segment.rule = {}
    segmentation.refresh(segment, NOW)
    assert inside(segment) == {"Ana", "Dana"} and "no condition" in segment.problem


def test_a_refresh_costs_the_same_number_of_queries_for_few_and_many(segment):
    with CaptureQueriesContext(connection) as few:
        segmentation.refresh(segment, NOW)
    resolve([Known(email=f"an{n}@example.com", first_name="Ann") for n in range(300)], NOW, source="shop")
    with CaptureQueriesContext(connection) as many:
        assert segmentation.refresh(segment, NOW) == 300
    assert len(few) == len(many) <= 8


def test_the_tick_refreshes_what_is_due_once(segment):
    Segment.objects.create(name="Broken", rule={"all": [{"kind": "crm.gone"}]}, created_at=NOW)
    assert run_tick("crm.segments", NOW) == 2
    assert run_tick("crm.segments", NOW + timedelta(minutes=59)) == 0
    assert run_tick("crm.segments", NOW + timedelta(minutes=60)) == 2
    assert Heartbeat.objects.get(name="crm.segments").did == 2
    assert segmentation.refresh_due(NOW + timedelta(days=1), Budget(0)) == 0


def test_examples_while_editing(segment):
    shown = segmentation.examples(RULE, NOW)
    assert (shown.count, {contact.first_name for contact in shown.contacts}) == (2, {"Ana", "Dana"})
    assert segmentation.examples({}, NOW).count == 0
    broken = segmentation.examples({"all": [{"kind": "crm.gone"}]}, NOW)
    assert broken.count == 0 and broken.problems


def test_an_answer_that_takes_too_long_is_no_answer(segment, monkeypatch):
    monkeypatch.setattr(segmentation, "PREVIEW_MILLISECONDS", 50)

    def slow():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(2)")

    assert segmentation._within_time(slow) is None
    assert segmentation.examples(RULE, NOW).count == 2


def test_the_consent_check_is_quiet_while_all_is_well(people):
    assert "crm.consent_check" in ticks and "crm.tidy" in ticks
    assert consent_check(NOW, Budget(1)) == 0
