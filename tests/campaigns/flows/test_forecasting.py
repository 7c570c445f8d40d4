"""How many would enter if it were launched now, and what happens when far more do."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from campaigns.flows import forecasting, launching, starting, watching
from campaigns.flows.kinds import Entrant, steps
from campaigns.flows.kinds import Step as StepKind
from campaigns.models import Campaign, Decision, Enrolment, EntryDay, FlowVersion, Step
from crm.models import ConsentState, Contact, Notice
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, DELAY, MINUTE, SEND, WAIT, enrol, flow, leave_cart, shopper
from tests.office import set_up_shop

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def not_yet(*steps: dict, **changes) -> Campaign:
    """A draft; its carts are left eight minutes after their last change."""
    return flow(*steps, state=Campaign.State.DRAFT, launched_at=None, **changes)


def left(campaign: Campaign, *minutes_ago: float) -> None:
    for contact, minutes in zip(mailing.people(len(minutes_ago), campaign.purpose), minutes_ago, strict=True):
        leave_cart(contact, AT - minutes * MINUTE)


def test_the_first_hour_and_day_are_those_who_fall_due_then_and_no_earlier_ones():
    campaign = not_yet()
    # Two are still in the shop; of the others one left an hour ago and one two days ago.
    left(campaign, 1, 7, 60, 48 * 60)
    made = forecasting.forecast(campaign, AT)
    assert (made.hour.people, made.day.people, made.yesterday.people) == (2, 2, 1)
    assert made.expected == 2
    assert not Enrolment.objects.exists() and not Decision.objects.exists()
    # What was forecast is what comes.
    starting.start(_sound(campaign), "ana", AT, made)
    assert enrol(AT + HOUR) == 2


def test_those_who_may_not_be_written_to_are_told_apart():
    campaign = not_yet()
    left(campaign, 1, 2, 3)
    ConsentState.objects.filter(pk=ConsentState.objects.first().pk).update(
        may_send=False, status=ConsentState.Status.WITHDRAWN
    )
    made = forecasting.forecast(campaign, AT)
    assert (made.hour.people, made.hour.may) == (3, 2)


def test_more_than_can_be_counted_is_called_more_than(monkeypatch):
    monkeypatch.setattr(forecasting, "MOST", 2)
    campaign = not_yet()
    left(campaign, 1, 2, 3)
    made = forecasting.forecast(campaign, AT)
    assert (made.hour.words, made.is_more) == ("more than 2", True)


def test_a_count_that_takes_too_long_is_not_made_up(monkeypatch):
    monkeypatch.setattr(forecasting.patience, "within", lambda seconds, ask: None)
    made = forecasting.forecast(not_yet(), AT)
    assert (made.hour, made.day, made.expected) == (None, None, None)


def test_a_trigger_that_cannot_be_read_is_not_counted():
    assert forecasting.forecast(not_yet(trigger_params={"delay_minutes": "soon"}), AT) is None
    assert forecasting.forecast(not_yet(trigger="campaigns.gone"), AT) is None


class Fork(StepKind):
    key = "test.fork"
    label = "Fork"

    def paths(self, params):
        return ["left", "right"]


def test_of_paths_that_exclude_each_other_one_counts():
    steps.register(Fork)
    try:
        campaign = not_yet(
            SEND,
            {"kind": "test.fork"},
            SEND | {"path": "left"},
            SEND | {"path": "left"},
            SEND | {"path": "right"},
            WAIT,
            SEND,
        )
        assert forecasting.messages_a_person(campaign.current) == 4
    finally:
        steps._kinds.pop("test.fork")


def test_the_pace_is_of_the_days_it_ran():
    campaign = flow()
    for days_ago, entered in ((40, 900), (3, 10), (1, 20), (0, 500)):
        EntryDay.objects.create(campaign=campaign, on_day=(AT - days_ago * DAY).date(), entered=entered)
    assert forecasting.pace(campaign, AT) == 10


def test_three_times_the_forecast_pauses_it_before_they_enter(monkeypatch):
    monkeypatch.setattr(watching, "AT_LEAST", 2)
    owner = User.objects.create(username="olga", is_staff=True)
    campaign = not_yet(owner=owner)
    left(campaign, 1, 2)
    starting.start(_sound(campaign), "ana", AT, forecasting.forecast(campaign, AT))
    assert watching.most_a_day(campaign) == 6
    assert enrol(AT + DELAY) == 2
    for number in range(10, 15):
        leave_cart(shopper(campaign, number), AT + DELAY)
    later = AT + 2 * DELAY
    assert enrol(later) == 0
    campaign.refresh_from_db()
    assert (campaign.state, campaign.problem_at) == (Campaign.State.PAUSED, later)
    assert "About 2 people were expected a day" in campaign.problem and "resume it" in campaign.problem
    assert Enrolment.objects.count() == 2
    notice = Notice.objects.get()
    assert (notice.user, notice.path) == (owner, f"/admin/campaigns/campaign/{campaign.pk}/change/")
    # Whoever resumes it accepts what was seen, and the guard goes on from there.
    launching.resume(campaign, "ana", later)
    assert enrol(later) == 5
    assert EntryDay.objects.get().entered == 7
    assert watching.most_a_day(campaign) == 21


def test_a_few_more_than_very_few_are_no_flood():
    campaign = not_yet()
    left(campaign, 1)
    starting.start(_sound(campaign), "ana", AT, forecasting.forecast(campaign, AT))
    for number in range(10, 30):
        leave_cart(shopper(campaign, number), AT + MINUTE)
    assert enrol(AT + HOUR) == 21
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.RUNNING


def test_a_new_day_counts_anew_and_existing_people_are_not_counted(monkeypatch):
    monkeypatch.setattr(watching, "AT_LEAST", 1)
    campaign = not_yet()
    made = forecasting.forecast(campaign, AT)
    starting.start(_sound(campaign), "ana", AT, made, existing_a_day=4, is_shadow=True)
    assert (campaign.existing_a_day, campaign.is_shadow) == (4, True)
    assert watching.most_a_day(campaign) == 3
    EntryDay.objects.create(campaign=campaign, on_day=AT.date(), entered=3)
    leave_cart(shopper(campaign), AT + DAY)
    assert enrol(AT + DAY + DELAY) == 1


def test_existing_people_are_no_flood():
    campaign = flow()
    campaign.forecast = {"expected": 1}
    before = [Entrant(shopper(campaign, number).pk, "x", AT, is_existing=True) for number in range(1, 101)]
    assert watching.lets_in(campaign, before, AT)
    assert not EntryDay.objects.exists()


@pytest.mark.parametrize("zone", ["shop", "person"])
def test_a_broadcast_is_counted_at_its_moment_in_all_zones(zone):
    set_up_shop(time_zone="Europe/Copenhagen")
    params = {"segment": "", "at": "2026-03-09T10:00", "zone": zone}
    campaign = not_yet(SEND, trigger="campaigns.on_date", trigger_params=params)
    people = mailing.people(4, campaign.purpose)
    for who, where in zip(people, ("Pacific/Auckland", "Pacific/Honolulu", "Europe/Berlin", ""), strict=True):
        Contact.objects.filter(pk=who.pk).update(time_zone=where)
    made = forecasting.forecast(campaign, AT)
    assert (made.cast_at, made.cast.people, made.cast.may) == (datetime(2026, 3, 9, 9, tzinfo=UTC), 4, 4)
    assert (made.expected, made.hour, made.is_more) == (4, None, False)
    later = forecasting.forecast(campaign, AT + 10 * DAY)
    assert (later.cast_at, later.expected) == (None, 0)


def test_a_repeating_message_is_counted_at_its_next_moment():
    set_up_shop(time_zone="UTC")
    params = {"segment": "", "every": "week", "weekday": "3", "day": "", "time": "10:00", "zone": "person"}
    campaign = not_yet(SEND, trigger="campaigns.repeating", trigger_params=params)
    mailing.people(2, campaign.purpose)
    made = forecasting.forecast(campaign, AT)
    assert (made.cast_at, made.expected) == (AT + 3 * DAY, 2)


def test_a_campaign_launched_without_a_forecast_is_not_watched():
    assert watching.most_a_day(flow()) is None


def test_what_cannot_be_launched_keeps_nothing_of_the_attempt():
    campaign = not_yet()
    with pytest.raises(launching.CannotLaunch):
        starting.start(campaign, "ana", AT, forecasting.forecast(campaign, AT), existing_a_day=5)
    campaign.refresh_from_db()
    assert (campaign.forecast, campaign.existing_a_day) == ({}, None)


def _sound(campaign: Campaign) -> Campaign:
    """With the shop set up and a message that may be launched."""
    set_up_shop(time_zone="UTC")
    version = FlowVersion.objects.get(campaign=campaign)
    Step.objects.filter(version=version, kind=SEND["kind"]).update(template=mailing.template(of_a_cart=True))
    return campaign
