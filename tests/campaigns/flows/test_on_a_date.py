"""Broadcasts and what comes back: each person once, by the shop's clock or their own, also when clocks
change.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.flows import broadcasting, journeys, launching
from campaigns.flows.kinds import playbooks, triggers
from campaigns.models import Campaign, Decision, Delivery, Enrolment
from crm.kernel.kinds import BrokenParams
from crm.models import Contact, Engagement, Segment, SegmentMembership, ShopSettings
from tests.campaigns.flows.stage import AT, MINUTE, advance, buy, enrol, flow, shopper

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AUCKLAND, BERLIN, HONOLULU = "Pacific/Auckland", "Europe/Berlin", "Pacific/Honolulu"
TEN = datetime(2026, 3, 4, 10)


@pytest.fixture(autouse=True)
def shop():
    ShopSettings.objects.update_or_create(pk=1, defaults={"name": "Shop", "time_zone": BERLIN})


@pytest.fixture
def segment():
    return Segment.objects.create(name="News", kind=Segment.Kind.FIXED, created_at=AT - 9 * DAY)


def joins(contact, segment, at=AT - DAY, zone="", left=None):
    Contact.objects.filter(pk=contact.pk).update(time_zone=zone, created_at=at, recorded_at=at)
    return SegmentMembership.objects.create(contact=contact, segment=segment, entered_at=at, left_at=left)


def broadcast(segment=None, zone="person", at=TEN, **changes):
    params = {"at": at.isoformat(timespec="minutes"), "zone": zone}
    if segment:
        params["segment"] = str(segment.pk)
    usual = {"launched_at": AT - 2 * DAY, "expires_after": None}
    return flow(trigger="campaigns.on_date", trigger_params=params, **(usual | changes))


def repeating(segment, zone="person", **params):
    given = {"segment": str(segment.pk), "zone": zone, "time": "10:00"} | params
    changes = {"launched_at": AT - 2 * DAY, "expires_after": None}
    return flow(trigger="campaigns.repeating", trigger_params=given, **changes)


def at_home(moment, zone):
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def entered():
    rows = Enrolment.objects.order_by("qualified_at").values_list("contact__time_zone", "qualified_at")
    return list(rows)


def through(begin, end, step=HOUR):
    now = begin
    while now <= end:
        enrol(now)
        now += step


def test_everybody_gets_it_at_ten_where_they_live(segment):
    campaign = broadcast(segment)
    zones = [AUCKLAND, "", BERLIN, HONOLULU]
    for number, zone in enumerate(zones):
        joins(shopper(campaign, number), segment, zone=zone)
    through(at_home(TEN, AUCKLAND) - HOUR, at_home(TEN, HONOLULU) + DAY, 3 * HOUR)
    assert Counter(entered()) == Counter((zone, at_home(TEN, zone or BERLIN)) for zone in zones)
    assert "News" in Decision.objects.first().evidence["segment"]


def test_by_the_shops_clock_it_is_one_instant_for_all(segment):
    campaign = broadcast(segment, zone="shop")
    for number, zone in enumerate([AUCKLAND, "", HONOLULU]):
        joins(shopper(campaign, number), segment, zone=zone)
    instant = at_home(TEN, BERLIN)
    assert [enrol(instant - MINUTE), enrol(instant), enrol(instant + HOUR)] == [0, 3, 0]
    assert {at for _, at in entered()} == {instant}


def test_whoever_joins_after_their_hour_does_not_get_it_and_whoever_lives_further_west_still_does(segment):
    campaign = broadcast(segment)
    east, west, gone = (shopper(campaign, number) for number in (1, 2, 3))
    late = at_home(TEN, BERLIN) + 2 * HOUR
    joins(east, segment, late, zone=BERLIN)
    joins(west, segment, late, zone=HONOLULU)
    joins(gone, segment, zone=HONOLULU, left=late)
    through(at_home(TEN, BERLIN), at_home(TEN, HONOLULU) + DAY, 6 * HOUR)
    assert entered() == [(HONOLULU, at_home(TEN, HONOLULU))]
    assert Enrolment.objects.get().contact_id == west.pk


def test_whoever_left_after_their_hour_while_the_batch_was_under_way_still_gets_it(segment):
    campaign = broadcast(segment)
    instant = at_home(TEN, BERLIN)
    joins(shopper(campaign), segment, zone=BERLIN, left=instant + MINUTE)
    assert enrol(instant + 5 * MINUTE) == 1


def test_whoever_moves_to_another_zone_gets_it_once(segment):
    campaign = broadcast(segment)
    ana = shopper(campaign)
    joins(ana, segment, zone=BERLIN)
    enrol(at_home(TEN, BERLIN))
    Contact.objects.filter(pk=ana.pk).update(time_zone=HONOLULU)
    assert enrol(at_home(TEN, HONOLULU)) == 0


def test_launched_after_its_hour_or_a_day_late_it_writes_to_nobody(segment):
    instant = at_home(TEN, BERLIN)
    late = broadcast(segment, launched_at=instant + HOUR)
    joins(shopper(late), segment)
    assert enrol(instant + 2 * HOUR) == 0
    Campaign.objects.update(launched_at=AT - 2 * DAY)
    assert enrol(instant + 25 * HOUR) == 0
    assert enrol(instant + 23 * HOUR) == 1


def test_a_crowd_that_was_planned_is_no_flood(segment):
    campaign = broadcast(segment, forecast={"expected": 0})
    for number in range(100):
        joins(shopper(campaign, number), segment)
    assert enrol(at_home(TEN, BERLIN)) == 100


def test_a_crowd_enters_a_batch_at_a_time(segment, monkeypatch):
    monkeypatch.setattr(journeys, "ENTER_AT_ONCE", 4)
    campaign = broadcast(segment)
    for number in range(10):
        joins(shopper(campaign, number), segment)
    instant = at_home(TEN, BERLIN)
    assert journeys.enrol_one(campaign.pk, instant) == 4
    assert enrol(instant) == 6


def test_without_a_segment_it_goes_to_all_who_may_be_written_to_by_then():
    campaign = broadcast()
    instant = at_home(TEN, BERLIN)
    agreed, refused, new = (shopper(campaign, number) for number in (1, 2, 3))
    Engagement.objects.filter(contact=refused).update(may_receive=[])
    Contact.objects.filter(pk=new.pk).update(created_at=instant + MINUTE)
    assert enrol(instant + 2 * MINUTE) == 1
    assert Enrolment.objects.get().contact_id == agreed.pk


def test_the_entry_rule_is_part_of_the_question(segment):
    rule = {"all": [{"kind": "crm.name", "params": {"contains": "person2"}}]}
    campaign = broadcast(segment, entry_rule=rule)
    for number in (1, 2):
        joins(shopper(campaign, number), segment)
    assert enrol(at_home(TEN, BERLIN)) == 1


def test_a_closed_segment_pauses_it_and_says_why(segment):
    broadcast(segment)
    Segment.objects.update(problem="its product was deleted")
    enrol(at_home(TEN, BERLIN))
    campaign = Campaign.objects.get()
    assert campaign.state == Campaign.State.PAUSED and "its product was deleted" in campaign.problem


CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 9), datetime(2026, 10, 25, 9)),
    ("America/New_York", datetime(2026, 3, 8, 9), datetime(2026, 11, 1, 9)),
    ("Australia/Lord_Howe", datetime(2026, 10, 4, 9), datetime(2026, 4, 5, 9)),
    ("America/Santiago", datetime(2026, 9, 6, 9), datetime(2026, 4, 5, 9)),
]


AROUND = [-DAY, -MINUTE, 0 * DAY, HOUR, 2 * HOUR, DAY - 2 * HOUR, DAY, DAY + 2 * HOUR]


@pytest.mark.parametrize(("zone", "spring", "autumn"), CHANGES, ids=[zone for zone, *_ in CHANGES])
def test_nine_in_the_morning_comes_once_a_day_when_clocks_change(segment, zone, spring, autumn):
    campaign = repeating(segment, every="day", time="09:00")
    joins(shopper(campaign), segment, at=datetime(2026, 1, 1, tzinfo=UTC), zone=zone)
    for day in (spring, autumn):
        Campaign.objects.update(launched_at=day.replace(tzinfo=UTC) - 2 * DAY)
        for by in AROUND:
            enrol(at_home(day, zone) + by)
        days = [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for _, at in entered()]
        expected = {day - DAY, day, day + DAY}
        assert len(days) == len(set(days)) and expected - {day - DAY} <= set(days) & expected
        assert {at.hour for at in days} == {9}


@pytest.mark.parametrize(("zone", "spring", "autumn"), CHANGES, ids=[zone for zone, *_ in CHANGES])
def test_the_clock_strikes_once_when_clocks_change_even_an_hour_that_is_missing_or_comes_twice(
    zone, spring, autumn
):
    for day in (spring, autumn):
        for hour in (0, 2, 9):
            moment = day.replace(hour=hour, minute=15)
            begin = at_home(moment, zone)
            struck = [
                strike
                for step in range(-5, 5)
                for strike in broadcasting.strikes(
                    lambda on, day=day: "it" if on == day.date() else "",
                    moment.time(),
                    "person",
                    begin + step * 30 * MINUTE,
                    begin + (step + 1) * 30 * MINUTE,
                )
                if zone in strike.zones
            ]
            assert [(strike.at, strike.day) for strike in struck] == [(begin, day.date())], moment


def test_every_tuesday_comes_once_a_week_and_a_missed_one_is_not_made_up(segment):
    campaign = repeating(segment, every="week", weekday="1")
    joins(shopper(campaign), segment)
    tuesday = at_home(datetime(2026, 3, 3, 10), BERLIN)
    through(tuesday - DAY, tuesday + 6 * DAY, DAY)
    assert [at for _, at in entered()] == [tuesday]
    assert Enrolment.objects.get().entry == "week:2026-W10"
    enrol(tuesday + 8 * DAY)
    enrol(tuesday + 14 * DAY + MINUTE)
    assert [at for _, at in entered()] == [tuesday, tuesday + 14 * DAY]


def test_the_thirty_first_is_the_last_day_of_a_shorter_month(segment):
    campaign = repeating(segment, every="month", day="31")
    joins(shopper(campaign), segment)
    for day in (26, 27, 28, 56, 57, 58):
        enrol(at_home(TEN, BERLIN) + day * DAY)
    days = [at.astimezone(ZoneInfo(BERLIN)).date().isoformat() for _, at in entered()]
    assert days == ["2026-03-31", "2026-04-30"]


def test_whoever_comes_into_the_segment_gets_it_from_the_next_time_on(segment):
    campaign = repeating(segment, every="day", zone="shop")
    joins(shopper(campaign, 1), segment)
    joins(shopper(campaign, 2), segment, at=at_home(TEN, BERLIN) + HOUR)
    through(at_home(TEN, BERLIN) - HOUR, at_home(TEN, BERLIN) + DAY, 5 * HOUR)
    assert Counter(at for _, at in entered()) == {at_home(TEN, BERLIN): 1, at_home(TEN, BERLIN) + DAY: 2}


def test_what_is_missing_is_said_beside_its_field(segment):
    trigger = triggers.get("campaigns.repeating")
    for wrong, field in ({"every": "week"}, "weekday"), ({"every": "month"}, "day"):
        with pytest.raises(BrokenParams) as broken:
            trigger.read({"time": "10:00", "zone": "shop"} | wrong)
        assert broken.value.field == field
    with pytest.raises(BrokenParams):
        triggers.get("campaigns.on_date").read({"at": "the day after", "zone": "shop"})


def test_it_reads_as_it_was_said(segment):
    on_date, again = triggers.get("campaigns.on_date"), triggers.get("campaigns.repeating")
    said = on_date.sentence(on_date.read({"at": "2026-03-04T10:00", "zone": "person"}))
    assert said == "On 4 March 2026 at 10:00, where each person lives, to all who may be written to"
    given = {"every": "month", "day": "31", "time": "08:30", "zone": "shop", "segment": str(segment.pk)}
    said = again.sentence(again.read(given))
    assert said == "On the last day of every month at 08:30, where the shop is, to the segment “News”"


@pytest.mark.parametrize(("play", "days"), [("broadcast", 3), ("new_in_your_brands", 14)])
def test_an_order_placed_before_the_hour_and_told_of_after_it_keeps_the_news_away(segment, play, days):
    campaign = broadcast(segment, exit_rule=dict(playbooks.get(f"campaigns.{play}").exit_rule))
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    for person in (ana, boris):
        joins(person, segment)
    struck = at_home(TEN, BERLIN)
    buy(boris, struck - days * DAY - MINUTE)
    assert enrol(struck + MINUTE) == 2
    buy(ana, struck - MINUTE)
    advance(struck + HOUR)
    assert Delivery.objects.get().contact_id == boris.pk
    assert Enrolment.objects.get(contact=ana).left_reason == "exit_rule"


@pytest.mark.parametrize(
    ("zone", "now", "said"),
    [
        ("person", TEN - timedelta(days=300), ""),
        ("person", TEN - timedelta(hours=15), ""),
        ("person", TEN - timedelta(hours=12), "warning: in some time zones already: people there would"),
        ("person", TEN, "warning: in some time zones already, the shop’s own among them: people there would"),
        (
            "person",
            TEN + timedelta(hours=13),
            "problem: It is past 10:00 on 4 March 2026 everywhere, so nobody",
        ),
        ("person", TEN + timedelta(days=40), "problem: choose a moment still to come."),
        ("shop", TEN - timedelta(hours=2), ""),
        ("shop", TEN, "problem: It is past 10:00 on 4 March 2026 where the shop is, so nobody would get it"),
    ],
)
def test_a_launch_after_the_moment_is_a_red_line_that_says_what_to_do(zone, now, said):
    now = now.replace(tzinfo=UTC)
    campaign = broadcast(zone=zone, state=Campaign.State.DRAFT)
    [line] = [one for one in launching.checklist(campaign, now) if one.key == "trigger"]
    kind, _, words = said.partition(": ")
    assert (bool(line.problem), bool(line.warning)) == (kind == "problem", kind == "warning")
    assert words in line.problem + line.warning
    # What runs is not asked: it has let in those it was in time for, and may be paused and resumed.
    campaign.state = Campaign.State.PAUSED
    [line] = [one for one in launching.checklist(campaign, now) if one.key == "trigger"]
    assert not line.problem and not line.warning
