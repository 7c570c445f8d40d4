"""What goes to whom in the coming weeks: broadcasts at their moment, flows by forecast, conflicts marked."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django import forms

from campaigns.flows import planning
from campaigns.flows.kinds import Step as StepKind
from campaigns.flows.kinds import Trigger, steps, triggers
from campaigns.models import Campaign, Due, Enrolment, EntryDay
from crm.models import Segment, SegmentMembership
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, LEAVE, SEND, WAIT, flow

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Cast(Trigger):
    """On named days at ten, to a segment."""

    key = "test.cast"
    label = "Cast"
    is_planned = True

    class Params(forms.Form):
        days = forms.CharField()
        segment = forms.ModelChoiceField(Segment.objects.all(), required=False)

    def planned(self, params, since, until):
        moments = [AT + int(day) * DAY for day in params["days"].split()]
        return [moment for moment in moments if since <= moment < until]


class Fork(StepKind):
    key = "test.fork"
    label = "Fork"

    def paths(self, params):
        return ["left", "right"]


@pytest.fixture(autouse=True)
def kinds():
    office.set_up_shop(time_zone="UTC")
    triggers.register(Cast)
    steps.register(Fork)
    yield
    triggers._kinds.pop("test.cast")
    steps._kinds.pop("test.fork")


def segment(name: str, *people) -> Segment:
    made = Segment.objects.create(name=name, created_at=AT)
    SegmentMembership.objects.bulk_create(
        SegmentMembership(segment=made, contact=who, entered_at=AT) for who in people
    )
    return made


def cast(days: str, to: Segment | None = None, *steps_: dict, **changes) -> Campaign:
    params = {"days": days, "segment": str(to.pk) if to else ""}
    return flow(*(steps_ or (SEND,)), trigger="test.cast", trigger_params=params, **changes)


def inside(campaign: Campaign, who, due_at, position: int = 1, path: str = "", arm: str = "treatment"):
    run = Enrolment.objects.create(
        contact=who, campaign=campaign, version=campaign.current, entry="x", arm=arm, step_position=position,
        path=path, qualified_at=AT, entered_at=AT,
    )  # fmt: skip
    Due.objects.create(enrolment_id=run.pk, contact_id=who.pk, campaign=campaign, due_at=due_at)


def look(most_a_week: int = 4) -> dict[date, list[planning.Bar]]:
    weeks = planning.calendar(AT, planning.planned_campaigns(), most_a_week)
    return {day.on: day.bars for week in weeks for day in week if day.bars}


def on(number: int) -> date:
    return (AT + number * DAY).date()


def test_six_weeks_from_this_monday():
    weeks = planning.calendar(AT + 2 * DAY, [], 4)
    assert [len(week) for week in weeks] == [7] * 6
    assert weeks[0][0].on == date(2026, 3, 2) and weeks[0][0].is_past
    assert [day.is_today for day in weeks[0]] == [False, False, True, False, False, False, False]
    assert not any(day.bars for week in weeks for day in week)


def test_people_inside_walk_through_the_waits_before_them():
    campaign = flow(SEND, WAIT, SEND, WAIT, SEND)
    ana, boris, chen, dana = mailing.people(4, campaign.purpose)
    inside(campaign, ana, AT - HOUR)
    # Their wait is over in three days: the message after it, and the one a day later.
    inside(campaign, boris, AT + 3 * DAY, position=2)
    inside(campaign, chen, AT + 3 * DAY, position=4)
    inside(campaign, dana, AT, arm="control")
    assert {day: bars[0].messages for day, bars in look().items()} == {
        on(0): 1,
        on(1): 1,
        on(2): 1,
        on(3): 2,
        on(4): 1,
    }


def test_new_people_come_at_the_pace_of_the_last_weeks():
    campaign = flow(SEND, WAIT, SEND, control_share="0.5")
    EntryDay.objects.create(campaign=campaign, on_day=on(-4), entered=40)
    EntryDay.objects.create(campaign=campaign, on_day=on(-2), entered=40)
    EntryDay.objects.create(campaign=campaign, on_day=on(0), entered=999)
    found = look()
    # Twenty a day, half of them held out; from the second day on the second messages come, too.
    assert (found[on(0)][0].number, found[on(1)][0].number, found[on(40)][0].number) == (10, 20, 20)


def test_forks_share_people_out_and_a_step_that_ends_it_ends_it():
    campaign = flow(
        {"kind": "test.fork"},
        SEND | {"path": "left"},
        SEND | {"path": "left"},
        LEAVE | {"path": "right"},
        SEND,
    )
    got = list(planning.sends(list(campaign.current.steps.all()), AT))
    assert got == [(AT, 0.5), (AT, 0.5), (AT, 0.5)]


def test_a_broadcast_goes_to_its_segment_at_its_moment_and_a_draft_shows_too():
    people = mailing.people(5, mailing.campaign(name="other", state="stopped").purpose)
    fans = segment("Fans", *people)
    campaign = cast("3 50", fans, SEND, WAIT, SEND, state="draft", control_share="0.2")
    found = look()
    assert list(found) == [on(3), on(4)]
    (bar,) = found[on(3)]
    assert (bar.at, bar.number, bar.audience.words, bar.is_draft) == (AT + 3 * DAY, 4, "Fans", True)
    # What it did is no pace to go by.
    Campaign.objects.filter(pk=campaign.pk).update(state="running")
    EntryDay.objects.create(campaign=campaign, on_day=on(-1), entered=5000)
    assert list(look()) == [on(3), on(4)]


def test_broadcasts_and_repeating_messages_stand_at_their_moments():
    office.set_up_shop(time_zone="UTC")
    once = {"segment": "", "at": "2026-03-06T10:00", "zone": "person"}
    weekly = {"segment": "", "every": "week", "weekday": "4", "day": "", "time": "09:30", "zone": "shop"}
    campaign = flow(SEND, name="Once", trigger="campaigns.on_date", trigger_params=once)
    flow(SEND, name="Weekly", trigger="campaigns.repeating", trigger_params=weekly)
    mailing.people(3, campaign.purpose)
    found = {day: [(bar.campaign.name, bar.number) for bar in bars] for day, bars in look().items()}
    assert found[on(4)] == [("Once", 3), ("Weekly", 3)]
    assert list(found) == [on(4 + 7 * week) for week in range(6)]
    assert "3 people get “Weekly” on this day, too." in look()[on(4)][0].conflicts[0]


def test_to_all_who_may_be_written_to():
    campaign = cast("1")
    mailing.people(3, campaign.purpose)
    (bar,) = look()[on(1)]
    assert (bar.number, bar.audience.words) == (3, "all who may be written to")


@pytest.mark.parametrize("changes", [{"state": "paused"}, {"state": "stopped"}, {"is_shadow": True}])
def test_what_sends_nothing_is_not_planned(changes):
    mailing.people(3, cast("1", **changes).purpose)
    assert look() == {}


def test_two_broadcasts_to_the_same_people_on_one_day_are_a_conflict():
    people = mailing.people(5, mailing.campaign(name="other", state="stopped").purpose)
    fans, friends, strangers = (
        segment("Fans", *people[:3]),
        segment("Friends", *people[1:4]),
        segment("S", people[4]),
    )
    cast("3", fans, name="One")
    cast("3 5", friends, name="Two")
    cast("3", strangers, name="Three")
    found = {bar.campaign.name: bar.conflicts for bar in look()[on(3)]}
    assert found == {
        "One": ["2 people get “Two” on this day, too."],
        "Two": ["2 people get “One” on this day, too."],
        "Three": [],
    }
    assert look()[on(5)][0].conflicts == []


def test_more_in_a_week_than_the_limit_is_a_conflict():
    fans = segment("Fans", *mailing.people(2, mailing.campaign(name="other", state="stopped").purpose))
    cast("1 2 3 9", fans, in_caps=True)
    marked = {day: bars[0].conflicts for day, bars in look(most_a_week=2).items()}
    assert "3 messages to the same people" in marked[on(1)][0]
    assert marked[on(2)] == marked[on(9)] == []


def test_a_flow_denser_than_the_limit_is_a_conflict_unless_the_limit_does_not_hold_for_it():
    campaign = flow(SEND, WAIT, SEND, WAIT, SEND, in_caps=True)
    inside(campaign, mailing.people(1, campaign.purpose)[0], AT)
    assert "More than 2 messages to one person" in look(most_a_week=2)[on(1)][0].conflicts[0]
    assert look(most_a_week=3)[on(1)][0].conflicts == []
    Campaign.objects.filter(pk=campaign.pk).update(in_caps=False)
    assert look(most_a_week=2)[on(1)][0].conflicts == []


def test_a_campaign_that_cannot_be_read_is_left_out():
    cast("1").trigger_params = {}
    Campaign.objects.update(trigger_params={"segment": "77"})
    assert look() == {}


def test_a_fixed_number_of_queries_for_flows(django_assert_num_queries):
    def ask(count: int) -> None:
        for number in range(count):
            inside(
                flow(SEND, WAIT, SEND, name=f"Flow {number}"),
                mailing.people(1, PURPOSE, Enrolment.objects.count() + 1)[0],
                AT,
            )
        with django_assert_num_queries(5):
            look()

    PURPOSE = mailing.campaign(name="other", state="stopped").purpose
    ask(1)
    ask(3)
