"""Waits: until a time of day where each person lives, over every change of the clocks once; until something
happens, or does not in time.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.flows.kinds import steps
from campaigns.flows.steps.wait_until import next_moment
from campaigns.models import Campaign, Delivery, Due, Enrolment, Step
from crm.models import Contact
from crm.people import stirring
from tests.campaigns.flows.stage import (
    AT,
    DELAY,
    MINUTE,
    SEND,
    advance,
    buy,
    enrol,
    flow,
    leave_cart,
    run,
    shopper,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NINE = {"kind": "campaigns.wait_until", "params": {"time": "09:00"}}
BOUGHT = {"all": [{"kind": "crm.ordered_since_entering", "params": {"times": "1"}}]}

# Both changes of 2026 in four zones, one of them south of the equator and one by half an hour.
CHANGES = {
    "Europe/Amsterdam": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "America/Santiago": (datetime(2026, 4, 5, 3, tzinfo=UTC), datetime(2026, 9, 6, 4, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
}


def wait_for(rule=BOUGHT, length="2", unit="days", **more):
    return {"kind": "campaigns.wait_for", "params": {"rule": rule, "length": length, "unit": unit} | more}


def lives_in(person, zone):
    Contact.objects.filter(pk=person.pk).update(time_zone=zone)


@pytest.mark.proof
@pytest.mark.parametrize("which", [0, 1])
def test_nine_in_the_morning_comes_once_a_day_over_a_change_of_the_clocks(which):
    """S9: people of four zones who wait until nine each day, asked when they are due and every six hours."""
    loop = [step for _ in range(4) for step in (NINE, SEND, {"kind": "campaigns.wait", "params": _hour()})]
    for zone, changes in CHANGES.items():
        change = changes[which]
        begin = change - 2 * DAY
        campaign = flow(*loop, name=zone, expires_after=None, launched_at=begin - DAY)
        person = shopper(campaign, Contact.objects.count() + 1)
        lives_in(person, zone)
        leave_cart(person, begin - DELAY)
        enrol(begin)
        others = Campaign.objects.exclude(pk=campaign.pk).values_list("pk", flat=True)
        Campaign.objects.filter(pk__in=list(others)).update(state=Campaign.State.PAUSED)
        for quarter in range(21):
            advance(asked := begin + quarter * 6 * HOUR)
            nearest = Due.objects.filter(campaign=campaign).values_list("due_at", flat=True).first()
            while nearest and nearest < asked + 6 * HOUR:
                advance(nearest)
                nearest = Due.objects.filter(campaign=campaign).values_list("due_at", flat=True).first()
        mine = Delivery.objects.filter(campaign=campaign).order_by("due_at")
        due = [moment.astimezone(ZoneInfo(zone)) for moment in mine.values_list("due_at", flat=True)]
        assert [moment.time() for moment in due] == [time(9)] * 4
        days = [moment.date() for moment in due]
        assert days == [days[0] + number * DAY for number in range(4)]
        assert change.astimezone(ZoneInfo(zone)).date() in days


def _hour():
    return {"length": "1", "unit": "hours"}


@given(
    zone=st.sampled_from(sorted(CHANGES)),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    at=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
)
def test_the_next_moment_is_never_in_the_past_and_the_one_after_it_is_on_another_day(
    zone, after, at, weekdays
):
    there, after = ZoneInfo(zone), after.replace(tzinfo=UTC)
    first = next_moment(after, there, at, weekdays)
    second = next_moment(first + MINUTE / 60, there, at, weekdays)
    assert after <= first < after + 8 * DAY
    assert first < second
    days = [moment.astimezone(there).date() for moment in (first, second)]
    assert days[0] < days[1]
    assert {day.weekday() for day in days} <= weekdays
    # An hour that is left out is the only reason to say another time than the one asked for.
    shown = first.astimezone(there)
    assert shown.time() == at or shown - shown.replace(hour=at.hour, minute=at.minute) <= HOUR


def test_each_person_waits_until_nine_where_they_live_and_on_the_days_that_are_chosen():
    params = {"time": "09:00", "weekdays": ["5"]}
    campaign = flow({"kind": "campaigns.wait_until", "params": params}, SEND, expires_after=None)
    people = {}
    for number, zone in enumerate(("Europe/Berlin", "America/Los_Angeles", ""), start=1):
        person = shopper(campaign, number)
        lives_in(person, zone)
        leave_cart(person, AT - DELAY)
        people[person.pk] = zone
    run(AT)
    due = {people[key]: at for key, at in Due.objects.values_list("contact_id", "due_at")}
    assert due == {
        "Europe/Berlin": datetime(2026, 3, 7, 8, tzinfo=UTC),
        "America/Los_Angeles": datetime(2026, 3, 7, 17, tzinfo=UTC),
        "": datetime(2026, 3, 7, 9, tzinfo=UTC),
    }
    advance(datetime(2026, 3, 7, 9, tzinfo=UTC))
    assert Delivery.objects.count() == 2


def test_the_words_of_a_time_of_day():
    kind = steps.get("campaigns.wait_until")
    said = [
        kind.sentence(kind.read({"time": "09:00", "weekdays": days}), None)
        for days in ([], ["0", "1", "2", "3", "4"], ["5"], ["0", "3"])
    ]
    assert said == [
        "Wait until 09:00, where they live",
        "Wait until 09:00 on a working day, where they live",
        "Wait until 09:00 on a Saturday, where they live",
        "Wait until 09:00 on a Monday or Thursday, where they live",
    ]


def test_the_time_a_tick_takes_does_not_put_the_next_morning_off_by_a_day():
    day = {"kind": "campaigns.wait", "params": {"length": "1", "unit": "days"}}
    campaign = flow(NINE, SEND, day, NINE, SEND, expires_after=None)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    for morning in range(1, 3):
        advance(datetime(2026, 3, 2 + morning, 9, 0, 14, tzinfo=UTC))
    assert Delivery.objects.count() == 2


def test_who_does_it_in_time_goes_one_way_and_who_does_not_the_other():
    campaign = flow(
        wait_for(path_came="Bought", path_timeout="Silent"),
        {**SEND, "path": "Bought"},
        {**SEND, "path": "Silent"},
        SEND,
        exit_on_purchase=False,
    )
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    for person in (ana, boris):
        leave_cart(person, AT - DELAY)
    run(AT)
    assert Due.objects.filter(due_at__gt=AT).count() == 2
    advance(AT + MINUTE)
    assert set(Due.objects.values_list("due_at", flat=True)) == {AT + 2 * DAY}
    buy(ana, AT + HOUR)
    stirring.stir([ana.pk])
    advance(AT + HOUR)
    assert list(Delivery.objects.values_list("contact_id", "step_key")) == [
        (ana.pk, "step-2"),
        (ana.pk, "step-4"),
    ]
    advance(AT + 2 * DAY - MINUTE)
    assert Delivery.objects.count() == 2
    advance(AT + 2 * DAY)
    assert list(Delivery.objects.filter(contact_id=boris.pk).values_list("step_key", flat=True)) == [
        "step-3",
        "step-4",
    ]


def test_without_names_of_paths_everybody_goes_on():
    campaign = flow(wait_for(), SEND, exit_on_purchase=False, expires_after=None)
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    for person in (ana, boris):
        leave_cart(person, AT - DELAY)
    run(AT)
    buy(ana, AT + HOUR)
    stirring.stir([ana.pk])
    advance(AT + HOUR)
    advance(AT + 2 * DAY)
    assert Delivery.objects.count() == 2
    assert set(Enrolment.objects.values_list("path", flat=True)) == {""}


@pytest.mark.parametrize(("since", "goes_on"), [("arrived_at", False), ("entered_at", True), ("", False)])
def test_since_entering_means_this_step_or_the_flow_as_chosen(since, goes_on):
    hour = {"kind": "campaigns.wait", "params": _hour()}
    campaign = flow(hour, wait_for(since=since), SEND, exit_on_purchase=False, expires_after=None)
    ana = shopper(campaign)
    leave_cart(ana, AT - DELAY)
    enrol(AT)
    buy(ana, AT + MINUTE)
    advance(AT + HOUR)
    assert Delivery.objects.exists() == goes_on


def test_what_time_alone_makes_true_is_heard_as_well():
    rule = {"all": [{"kind": "tracking.last_seen", "params": {"which": "not_for", "days": "1"}}]}
    campaign = flow(wait_for(rule, length="9"), SEND, expires_after=None)
    ana = shopper(campaign)
    leave_cart(ana, AT - DELAY)
    run(AT)
    advance(AT + MINUTE)
    for hours in range(1, 25):
        advance(AT + hours * HOUR)
    assert Delivery.objects.get().due_at == AT + DAY


def test_many_who_wait_cost_no_more_questions_than_one(django_assert_max_num_queries):
    campaign = flow(wait_for(), SEND, exit_on_purchase=False)
    for number in range(1, 41):
        leave_cart(shopper(campaign, number), AT - DELAY)
    run(AT)
    advance(AT + MINUTE)
    asked = Step.objects.get(kind="campaigns.wait_for").asked_at
    with django_assert_max_num_queries(14):
        advance(AT + 2 * MINUTE)
    assert Step.objects.get(kind="campaigns.wait_for").asked_at > asked
    assert not Due.objects.filter(due_at__lte=AT + 2 * MINUTE).exists()


def test_a_rule_that_breaks_while_people_wait_pauses_the_campaign_and_moves_nobody():
    campaign = flow(wait_for(), SEND)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    Step.objects.filter(kind="campaigns.wait_for").update(
        params={"rule": {"all": [{"kind": "crm.gone"}]}, "length": "1", "unit": "days"}
    )
    advance(AT + MINUTE)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PAUSED
    assert "rule" in campaign.problem
    assert Enrolment.objects.get().state == Enrolment.State.ACTIVE
    assert not Delivery.objects.exists()


def test_the_words_of_a_wait_for_something():
    kind = steps.get("campaigns.wait_for")
    params = wait_for(path_came="Bought", path_timeout="Silent")["params"]
    assert kind.sentence(kind.read(params), None) == (
        "Wait until they bought since entering, 2 days at most; who does goes on along “Bought”;"
        " who does not along “Silent”"
    )
    assert kind.paths(kind.read(params)) == ["Bought", "Silent"]
