"""A segment is a rule and the rows of who was in it when."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Func, Q, TextField, Value
from django.db.models.lookups import IsNull
from django.test.utils import CaptureQueriesContext

from crm.audience import previewing, segmentation
from crm.kernel import rules
from crm.kernel.rules import Condition
from crm.kernel.work import Budget
from crm.models import Contact, Engagement, Heartbeat, Segment, SegmentMembership, SegmentSize
from crm.people.identity import Known, resolve
from crm.people.stirring import stir
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
        assert segmentation.refresh(segment, NOW) == 2
    resolve([Known(email=f"an{n}@example.com", first_name="Ann") for n in range(300)], NOW, source="shop")
    with CaptureQueriesContext(connection) as many:
        assert segmentation.refresh(segment, NOW + timedelta(hours=1)) == 300
    assert len(few) == len(many) <= 19


def test_the_tick_refreshes_what_is_due_once(segment):
    Segment.objects.create(name="Broken", rule={"all": [{"kind": "crm.gone"}]}, created_at=NOW)
    assert run_tick("crm.segments", NOW) == 2
    assert run_tick("crm.segments", NOW + timedelta(minutes=59)) == 0
    assert run_tick("crm.segments", NOW + timedelta(minutes=60)) == 2
    assert Heartbeat.objects.get(name="crm.segments").did == 2
    assert segmentation.keep_up(NOW + timedelta(days=1), Budget(0)) == 0


def test_a_fixed_list_is_left_alone(segment):
    segment.kind = Segment.Kind.FIXED
    segment.save()
    SegmentMembership.objects.create(segment=segment, contact=Contact.objects.first(), entered_at=NOW)
    assert segmentation.refresh(segment, NOW) == 0
    assert segment.size == 1 and segmentation.sweep(segment, NOW) is None


class Turning(Condition):
    """Known for at least two hours, said by a condition that knows whom time turns."""

    key = "test.turning"
    label = "Known two hours"

    def q(self, params, at, scope):
        return Q(created_at__lte=at - timedelta(hours=2), first_name__contains="a")

    def sentence(self, params):
        return "have been known for two hours"

    def drift(self, params, since, at, scope):
        turned = Contact.objects.filter(
            created_at__gt=since - timedelta(hours=2), created_at__lte=at - timedelta(hours=2)
        )
        return [turned.values("pk")]


@pytest.fixture
def turning(people):
    with rules.conditions.temporarily(Turning):
        segment = Segment.objects.create(name="Two hours", rule={"all": [{"kind": "test.turning"}]})
        segmentation.refresh(segment, NOW)
        yield segment


def test_a_sweep_finds_whom_time_moved(turning):
    assert segmentation.sweep(turning, NOW + timedelta(hours=1)) == 0
    assert segmentation.sweep(turning, NOW + timedelta(hours=2)) == 2
    assert inside(turning) == {"Ana", "Dana"} and turning.size == 2


def test_a_sweep_finds_whoever_something_was_written_about_and_asks_nobody_else(turning):
    later = NOW + timedelta(hours=9)
    segmentation.sweep(turning, later)
    Engagement.objects.update(stirred=0)  # The test is one transaction: all were written about in it.
    Contact.objects.filter(first_name__in=["Ana", "Dana"]).update(first_name="Xx")
    stir(Contact.objects.filter(email__istartswith="ana").values_list("pk", flat=True))
    assert segmentation.sweep(turning, later + timedelta(hours=1)) == 1
    # Dana was changed behind everybody's back: the whole refresh finds it.
    assert inside(turning) == {"Xx"} and segmentation.refresh(turning, later + timedelta(hours=2)) == 1
    assert inside(turning) == set()


def test_sizes_are_kept_for_the_chart_when_they_change_and_once_a_day(turning):
    for hours in (1, 2, 3, 26, 27):
        segmentation.sweep(turning, NOW + timedelta(hours=hours))
    kept = SegmentSize.objects.order_by("at").values_list("at", "size", "entered", "left")
    at = [NOW, NOW + timedelta(hours=2), NOW + timedelta(hours=26)]
    assert list(kept) == [(at[0], 0, 0, 0), (at[1], 2, 2, 0), (at[2], 2, 0, 0)]


def test_the_tick_sweeps_between_two_refreshes(turning):
    assert run_tick("crm.segments", NOW + timedelta(minutes=30)) == 0
    Segment.objects.update(due_at=NOW + timedelta(days=1))
    assert run_tick("crm.segments", NOW + timedelta(hours=2, minutes=1)) == 1
    assert inside(turning) == {"Ana", "Dana"}


def test_a_rule_that_takes_too_long_closes_the_segment_and_leaves_it_as_it_was(segment, settings):
    segmentation.refresh(segment, NOW)
    settings.REKINDLE_SEGMENT_SECONDS = 0.05
    with rules.conditions.temporarily(Endless):
        segment.rule = {"all": [{"kind": "test.endless"}]}
        assert segmentation.refresh(segment, NOW) == 0
        shown = previewing.preview(segment.rule, NOW)
    assert inside(segment) == {"Ana", "Dana"} and "longer than 0.05 seconds" in segment.problem
    assert shown.count is None and shown.contacts == []


class Endless(Condition):
    """Takes for ever."""

    key = "test.endless"
    label = "Endless"

    def q(self, params, at, scope):
        return Q(IsNull(Func(Value(3), function="pg_sleep", output_field=TextField()), False))

    def sentence(self, params):
        return "never end"


def test_a_preview_counts_shows_and_says_over_which_channels(segment):
    shown = previewing.preview(RULE, NOW)
    assert (shown.count, shown.total, shown.is_estimate) == (2, 4, False)
    assert {contact.first_name for contact in shown.contacts} == {"Ana", "Dana"}
    assert shown.by_channel == {"email": 2, "sms": 0}
    assert previewing.preview({}, NOW).count == 0
    broken = previewing.preview({"all": [{"kind": "crm.gone"}]}, NOW)
    assert broken.count == 0 and broken.problems


class Slow(Endless):
    """Takes for ever to ask of everybody, and no time of some."""

    key = "test.slow"

    def q(self, params, at, scope):
        return super().q(params, at, scope) if scope.among is None else Q(first_name="Ann")


def test_a_count_that_takes_too_long_is_estimated_from_some(people, monkeypatch):
    monkeypatch.setattr(previewing, "COUNT_SECONDS", 0.05)
    monkeypatch.setattr(previewing, "EXTRA_SECONDS", 0.2)
    resolve([Known(email=f"an{n}@example.com", first_name="Ann") for n in range(300)], NOW, source="shop")
    with rules.conditions.temporarily(Slow):
        shown = previewing.preview({"all": [{"kind": "test.slow"}]}, NOW)
    assert (shown.is_estimate, shown.count, shown.total) == (True, 300, 304)


def test_the_consent_check_is_quiet_while_all_is_well(people):
    assert "crm.consent_check" in ticks and "crm.tidy" in ticks
    assert consent_check(NOW, Budget(1)) == 0
