"""The gate: how often people are written to, which of several messages goes first, and what becomes of the
others.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from campaigns.delivery import arbitration
from campaigns.delivery.limits import in_control_group
from campaigns.models import (
    ChannelLimit,
    Coupon,
    Delivery,
    Due,
    Enrolment,
    FrequencySettings,
    OfferSlot,
    Step,
)
from crm.models import Channel, ConsentState, Contact, Purpose
from tests.campaigns import mailing
from tests.campaigns.flows import stage
from tests.campaigns.flows.stage import DELAY, SEND, WAIT, advance, enrol, flow, leave_cart, shopper
from tests.campaigns.gatehouse import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    all_leave,
    by_hand,
    put_in,
    said_of,
    told,
    writes,
)
from tests.campaigns.offers.shelf import codes, offer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_enters_by_themselves():
    with by_hand():
        yield


@pytest.fixture
def ana():
    return mailing.people(1, Purpose.objects.get(key="cart_recovery"))[0]


def sent_by(campaign):
    return Delivery.objects.filter(campaign=campaign).count()


def test_a_second_message_waits_until_twenty_hours_have_passed_and_says_so_once(ana):
    news, sale = writes("News"), writes("Sale")
    told(ana, news, AT - 3 * HOUR)
    put_in(sale, ana)
    for minutes in (0, 1, 5, 60):
        advance(AT + minutes * MINUTE)
    assert not sent_by(sale)
    assert Due.objects.get().due_at == AT + 17 * HOUR
    assert said_of(sale) == [
        (
            "waited",
            "frequency",
            "Had “News” 3 hours ago; at most one e-mail in 20 hours. It waits for its turn.",
        )
    ]
    advance(AT + 17 * HOUR)
    assert sent_by(sale) == 1
    assert said_of(sale)[-1][:2] == ("queued", "due")


def test_four_in_a_week_are_enough_whoever_sent_them(ana):
    campaigns = [writes(f"News {number}") for number in range(4)]
    for number, campaign in enumerate(campaigns):
        told(ana, campaign, AT - (6 - number) * DAY)
    sale = writes("Sale")
    put_in(sale, ana)
    advance(AT)
    assert Due.objects.get().due_at == AT + DAY  # when the first of the four is a week old
    assert "at most 4 e-mails in 7 days" in said_of(sale)[0][2]


def test_what_never_left_does_not_count(ana):
    news, sale = writes("News"), writes("Sale")
    for number, states in enumerate((["claimed", "skipped"], ["claimed", "sending", "failed"])):
        message = mailing.message(ana, news, dedupe_key=f"n:{number}", counts=True, created_at=AT - HOUR)
        message.save()
        for state in states:
            Delivery.objects.filter(pk=message.pk).update(state=state)
    put_in(sale, ana)
    advance(AT)
    assert sent_by(sale) == 1


def test_what_is_on_its_way_counts_and_is_asked_for_again(ana):
    news, sale = writes("News"), writes("Sale")
    put_in(news, ana)
    advance(AT)
    put_in(sale, ana, at=AT + MINUTE)
    advance(AT + MINUTE)
    assert sent_by(sale) == 0
    assert "“News” is on its way to them; at most one e-mail in 20 hours" in said_of(sale)[0][2]
    Delivery.objects.update(state="claimed")
    Delivery.objects.update(state="skipped")
    advance(AT + 11 * MINUTE)
    assert sent_by(sale) == 1


def test_two_runs_of_one_campaign_are_two_messages(ana):
    news = writes("News")
    put_in(news, ana)
    put_in(news, ana, at=AT + MINUTE)
    advance(AT + HOUR)
    assert sent_by(news) == 1


def test_a_loser_is_skipped_when_its_turn_would_come_too_late(ana):
    news, sale = writes("News"), writes("Sale", expires_after=timedelta(hours=6))
    told(ana, news, AT - HOUR)
    put_in(sale, ana)
    advance(AT)
    assert said_of(sale) == [
        (
            "skipped",
            "frequency",
            "Had “News” 1 hour ago; at most one e-mail in 20 hours. By then it is too late for this one.",
        )
    ]
    assert Enrolment.objects.get().state == "finished"


def test_lateness_counts_from_when_it_was_due_however_long_it_waits_for_its_turn(ana):
    news, sale = writes("News"), writes("Sale", expires_after=timedelta(hours=18))
    told(ana, news, AT - 10 * HOUR)
    put_in(sale, ana)
    advance(AT)
    advance(AT + 10 * HOUR)
    message = Delivery.objects.get(campaign=sale)
    assert (message.due_at, message.not_after) == (AT, AT + 18 * HOUR)


def test_a_campaign_may_drop_what_has_to_wait(ana):
    news, sale = writes("News"), writes("Sale", when_beaten="drop")
    told(ana, news, AT - HOUR)
    put_in(sale, ana)
    advance(AT)
    assert said_of(sale)[0][:2] == ("skipped", "frequency")
    assert said_of(sale)[0][2].endswith("This campaign drops what has to wait.")


def test_the_first_message_about_a_cart_passes_and_counts_the_second_waits(ana):
    news = writes("News", when_beaten="drop")
    carts = stage.flow(SEND, WAIT, SEND, name="Carts", expires_after=None, in_caps=True)
    told(ana, news, AT - HOUR)
    leave_cart(ana, AT - stage.DELAY)
    stage.run(AT)
    first = Delivery.objects.get(campaign=carts)
    assert (first.counts, first.passes_limits) == (True, True)
    all_leave(AT)
    put_in(news, ana)
    advance(AT + HOUR)
    assert said_of(news)[-1][2].startswith("Had “Carts” 1 hour ago")
    told(ana, news, AT + 20 * HOUR)
    advance(AT + DAY)
    assert sent_by(carts) == 1
    advance(AT + 40 * HOUR)
    second = Delivery.objects.filter(campaign=carts).latest("pk")
    assert (second.counts, second.passes_limits) == (True, False)


def test_where_the_first_message_about_a_cart_was_not_sent_the_second_keeps_the_limits_all_the_same(ana):
    news = writes("News")
    carts = stage.flow(SEND, WAIT, SEND, name="Carts", expires_after=None, in_caps=True)
    leave_cart(ana, AT - stage.DELAY)
    stage.run(AT)
    for state in ("claimed", "skipped"):
        Delivery.objects.filter(campaign=carts).update(state=state)
    told(ana, news, AT + 23 * HOUR)
    advance(AT + DAY)
    assert sent_by(carts) == 1 and said_of(carts)[-1][:2] == ("waited", "frequency")
    advance(AT + 43 * HOUR + MINUTE)
    second = Delivery.objects.filter(campaign=carts).latest("pk")
    assert sent_by(carts) == 2 and not second.passes_limits


def test_what_people_need_or_asked_for_is_free_of_limits_and_does_not_count(ana):
    news = writes("News")
    told(ana, news, AT - HOUR)
    asked_for = writes("Back in stock", in_caps=False)
    receipt = writes("Receipt", purpose=Purpose.objects.get(key="transactional"))
    put_in(asked_for, ana)
    put_in(receipt, ana)
    advance(AT)
    assert sent_by(asked_for) == 1 and not Delivery.objects.get(campaign=asked_for).counts
    # Nothing that an order needs stands back, whatever was sent; consent is another matter.
    assert all(reason != "frequency" for _, reason, _ in said_of(receipt))


def test_each_channel_and_each_purpose_has_limits_of_its_own(ana):
    news, sale = writes("News"), writes("Sale")
    missing = Purpose.objects.get(key="win_back")
    ChannelLimit.objects.create(channel="email", purpose=missing, at_most=1, within=5 * DAY)
    told(ana, news, AT - HOUR, channel=Channel.SMS)
    told(ana, news, AT - 3 * DAY, purpose=missing)
    put_in(sale, ana)
    advance(AT)
    assert sent_by(sale) == 1
    all_leave(AT)
    back = writes("We miss you", purpose=missing)
    ConsentState.objects.create(
        address_hash=ana.points.get().address_hash,
        channel="email",
        purpose=missing,
        may_send=True,
        status="granted",
        since=AT - DAY,
    )
    put_in(back, ana, at=AT + DAY)
    advance(AT + DAY)
    assert said_of(back)[0][2].startswith("Had “News” 4 days ago; at most one e-mail in 5 days")


def test_of_two_that_are_due_together_the_lower_number_goes_first(ana):
    sale, cart_help = writes("Sale", priority=90), writes("Help", priority=30)
    put_in(sale, ana)
    put_in(cart_help, ana)
    Due.objects.filter(campaign=cart_help).update(due_at=AT + MINUTE)
    advance(AT)
    advance(AT + MINUTE)
    assert (sent_by(sale), sent_by(cart_help)) == (0, 1)
    assert said_of(sale) == [
        ("waited", "beaten", "“Help” goes first: it is due to them at 10:01. It waits for its turn.")
    ]
    all_leave(AT + MINUTE)
    advance(AT + 3 * MINUTE)
    assert said_of(sale)[-1][2].startswith("Had “Help” 2 minutes ago; at most one e-mail in 20 hours")
    advance(AT + MINUTE + 20 * HOUR)
    assert sent_by(sale) == 1


def test_one_that_is_due_now_waits_for_a_better_one_that_is_due_in_two_hours(ana):
    best = writes(
        "Anniversary",
        {"kind": "campaigns.wait", "params": {"length": "2", "unit": "hours"}},
        SEND,
        priority=10,
    )
    sale = writes("Sale", priority=90)
    put_in(best, ana)
    put_in(sale, ana)
    advance(AT)
    assert said_of(sale)[0][2].startswith("“Anniversary” goes first: it is due to them at 12:00")
    advance(AT + 2 * HOUR)
    assert (sent_by(best), sent_by(sale)) == (1, 0)


@pytest.mark.parametrize(
    "not_better",
    [
        {"priority": 90},
        {"state": "paused"},
        {"is_shadow": True},
        {"in_caps": False},
    ],
)
def test_only_a_better_one_that_will_be_sent_is_waited_for(ana, not_better):
    other, sale = writes("Other", **({"priority": 10} | not_better)), writes("Sale", priority=90)
    put_in(other, ana)
    Due.objects.update(due_at=AT + HOUR)
    put_in(sale, ana)
    advance(AT)
    assert sent_by(sale) == 1


def test_one_that_is_due_much_later_or_does_something_else_is_not_waited_for(ana):
    later = writes("Later", WAIT, SEND, priority=10)
    leaving = writes("Leaving", stage.LEAVE, priority=10)
    sale = writes("Sale", priority=90)
    put_in(later, ana)
    put_in(leaving, ana)
    Due.objects.filter(campaign=leaving).update(due_at=AT + HOUR)
    put_in(sale, ana)
    advance(AT)
    assert sent_by(sale) == 1


def night(**changes):
    return writes("Night", quiet_hours=True, **changes)


def test_at_night_a_message_waits_for_the_morning_where_the_person_is_and_is_late_only_from_then(ana):
    Contact.objects.update(time_zone="America/New_York")
    campaign = night(expires_after=timedelta(hours=2))
    put_in(campaign, ana)  # five in the morning there
    advance(AT)
    morning = AT + 4 * HOUR
    assert Due.objects.get().due_at == morning
    words = "It is 05:00 where they are; messages leave 09:00 to 20:00."
    assert said_of(campaign) == [("waited", "quiet_hours", words)]
    advance(morning)
    message = Delivery.objects.get()
    assert (message.due_at, message.not_after) == (morning, morning + 2 * HOUR)
    assert message.quiet_zone == "America/New_York"


def test_an_email_that_answers_a_visit_of_a_moment_ago_is_not_held_at_night(ana):
    at = AT.replace(hour=22, minute=15)
    campaign = stage.flow(quiet_hours=True, in_caps=True)
    leave_cart(ana, at - stage.DELAY)
    stage.run(at)
    assert sent_by(campaign) == 1
    Delivery.objects.all().delete()
    boris = shopper(campaign, 2)
    leave_cart(boris, at - 40 * MINUTE)
    stage.run(at)
    assert sent_by(campaign) == 0
    assert Due.objects.get().due_at == AT.replace(hour=9) + DAY


def test_a_campaign_without_quiet_hours_writes_at_night(ana):
    at = AT.replace(hour=3)
    campaign = writes("Night owl")
    put_in(campaign, ana, at=at)
    advance(at)
    assert sent_by(campaign) == 1


def gives(of, **params):
    campaign = writes(of.name, SEND | {"params": params}, in_caps=False)
    Step.objects.filter(version=campaign.current).update(offer=of)
    return campaign


def test_one_offer_a_day_the_second_message_goes_without(ana):
    spring, autumn = offer("Spring"), offer("Autumn")
    codes(spring, 2), codes(autumn, 2)
    first, second = gives(spring), gives(autumn)
    put_in(first, ana)
    put_in(second, ana, at=AT + MINUTE)
    advance(AT)
    advance(AT + MINUTE)
    assert (sent_by(first), sent_by(second)) == (1, 1)
    assert Coupon.objects.exclude(contact_id=None).get().offer == spring
    assert said_of(second) == [
        (
            "queued",
            "offer_today",
            "To be sent, without its offer: They have had the offers of today already.",
        )
    ]
    assert OfferSlot.objects.get().on_date == AT.date()


def test_or_it_waits_for_the_next_day_where_the_person_is(ana):
    Contact.objects.update(time_zone="Asia/Tokyo")
    spring, autumn = offer("Spring"), offer("Autumn")
    codes(spring, 2), codes(autumn, 2)
    first, second = gives(spring), gives(autumn, without_offer="wait")
    put_in(first, ana)
    put_in(second, ana, at=AT + MINUTE)
    advance(AT)
    advance(AT + MINUTE)
    assert sent_by(second) == 0
    midnight = AT.replace(hour=15)  # in Tokyo
    assert Due.objects.get().due_at == midnight
    assert said_of(second)[0][:2] == ("waited", "offer_today")
    advance(midnight)
    assert sent_by(second) == 1
    assert Coupon.objects.filter(contact_id=ana.pk).count() == 2
    assert sorted(OfferSlot.objects.values_list("on_date", flat=True)) == [AT.date(), AT.date() + DAY]


def test_where_the_next_day_is_too_late_it_goes_without(ana):
    spring, autumn = offer("Spring"), offer("Autumn")
    codes(spring, 2), codes(autumn, 2)
    first, second = gives(spring), gives(autumn, without_offer="wait")
    type(second).objects.filter(pk=second.pk).update(expires_after=timedelta(hours=3))
    put_in(first, ana)
    put_in(second, ana, at=AT + MINUTE)
    advance(AT)
    advance(AT + MINUTE)
    assert said_of(second)[0][:2] == ("queued", "offer_today")


def test_two_offers_a_day_if_the_shop_says_so(ana):
    FrequencySettings.objects.update(offers_a_day=2)
    offers = [offer(name) for name in ("Spring", "Summer", "Autumn")]
    for one in offers:
        codes(one, 1)
        put_in(gives(one), ana)
    advance(AT)
    assert sorted(OfferSlot.objects.values_list("slot", flat=True)) == [1, 2]


def test_a_code_that_is_not_there_takes_no_offer_of_the_day(ana):
    empty, full = offer("Empty"), offer("Full")
    codes(full, 1)
    put_in(gives(empty), ana)
    advance(AT)
    assert not OfferSlot.objects.exists()
    put_in(gives(full), ana)
    advance(AT)
    assert Coupon.objects.filter(contact_id=ana.pk).count() == 1


def test_the_shop_wide_control_group_gets_nothing_of_any_campaign_and_is_told_why(ana):
    FrequencySettings.objects.update(control_percent=50)
    campaign = writes("News")
    everybody = [ana, *mailing.people(40, campaign.purpose, first=2)]
    held_out = {one.pk for one in everybody if in_control_group(one.pk, 50)}
    assert 5 < len(held_out) < 36
    put_in(campaign, *everybody)
    advance(AT)
    assert {message.contact_id for message in Delivery.objects.all()} == {
        one.pk for one in everybody
    } - held_out
    asked_for = writes("Asked for", in_caps=False)
    put_in(asked_for, *everybody)
    advance(AT)
    assert sent_by(asked_for) == len(everybody)
    assert {reason for verdict, reason, _ in said_of(campaign) if verdict == "held_out"} == {
        "shop_control_group"
    }


def test_whoever_is_held_out_of_all_counts_in_the_control_group_of_every_campaign():
    FrequencySettings.objects.update(control_percent=50)
    campaign = flow(control_share=0, in_caps=True)
    people = mailing.people(20, campaign.purpose)
    for one in people:
        leave_cart(one, AT - DELAY)
    enrol(AT)
    held_out = {one.pk for one in people if in_control_group(one.pk, 50)}
    control = Enrolment.objects.filter(arm=Enrolment.Arm.CONTROL)
    assert set(control.values_list("contact_id", flat=True)) == held_out != set()


def test_the_same_people_stay_held_out_when_the_group_grows():
    people = range(2000)
    small = {one for one in people if in_control_group(one, 5)}
    large = {one for one in people if in_control_group(one, 10)}
    assert small < large and 60 < len(small) < 140
    assert not any(in_control_group(one, 0) for one in people)


def test_in_shadow_a_flow_says_what_would_have_waited(ana):
    news, sale = writes("News"), writes("Sale", is_shadow=True)
    told(ana, news, AT - HOUR)
    put_in(sale, ana)
    advance(AT)
    advance(AT + 19 * HOUR)
    assert [verdict for verdict, *_ in said_of(sale)] == ["waited", "shadow"]
    assert not sent_by(sale)


def test_somebody_whom_another_process_decides_about_is_asked_after_a_moment(ana, monkeypatch):
    # What a lock of another connection looks like from here: the person is not among the rows.
    monkeypatch.setattr(
        arbitration.Contact.objects, "filter", lambda **_: Contact.objects.none(), raising=False
    )
    news = writes("News")
    put_in(news, ana)
    advance(AT)
    monkeypatch.undo()
    assert Due.objects.get().due_at == AT + timedelta(seconds=5)
    assert said_of(news) == []
    advance(AT + timedelta(seconds=5))
    assert Delivery.objects.get().due_at == AT


def test_the_gate_asks_as_much_for_two_people_as_for_forty():
    campaign = writes("Sale", quiet_hours=True, priority=90)
    other, better = writes("News"), writes("Help", WAIT, SEND, priority=10)
    few, many = mailing.people(2, campaign.purpose, first=10), mailing.people(40, campaign.purpose, first=100)
    for people in (few, many):
        for number, person in enumerate(people):
            if number % 2:
                told(person, other, AT - HOUR)
        put_in(better, *people)
        Due.objects.filter(campaign=better).update(due_at=AT + HOUR)
    counts = []
    for people in (few, many):
        put_in(campaign, *people)
        with CaptureQueriesContext(connection) as asked:
            advance(AT)
        counts.append(len(asked))
        if len(asked) > 40:
            print("\n".join(q["sql"][:150] for q in asked.captured_queries[20:60]))
    assert counts[0] == counts[1] <= 32
    assert Due.objects.filter(campaign=campaign, due_at__gt=F("waits_since")).count() == 42
