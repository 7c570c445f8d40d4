"""Quiet hours, limits and the offer of a day once more, in the moment of sending."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.delivery import outbox
from campaigns.delivery.claiming import claim
from campaigns.delivery.fencing import _fence_statement, fence, refusals
from campaigns.delivery.preparing import prepared
from campaigns.delivery.questions import all_guards
from campaigns.delivery.settling import Settlement, of_refusals, settle
from campaigns.models import ChannelLimit, Coupon, Decision, Delivery, FrequencySettings, OfferSlot
from crm.models import Contact, Purpose
from crm.people import engagement
from tests.campaigns import mailing
from tests.campaigns.gatehouse import AT, DAY, HOUR, MINUTE, told
from tests.campaigns.offers.shelf import codes, give, held, offer

pytestmark = pytest.mark.django_db

OLD_MESSAGES = """
INSERT INTO campaigns_delivery (public_id, dedupe_key, origin, channel, contact_id, address_hash,
    test_address, purpose_id, sender_id, step_key, subject_kind, cart_token, checkout_id, state, reason,
    is_held, due_at, not_before, priority, attempts, claimed_by, provider, provider_message_id, outcome,
    created_at, fenced_at, counts)
SELECT gen_random_uuid(), 'old:' || n, 'flow', 'email', gen_random_uuid(), '\\x00', '',
    purpose_id, sender_id, '', '', '', '', 'sent', '', false, due_at,
    due_at, 100, 1, '', '', '', '', due_at - n * interval '1 minute', due_at - n * interval '1 minute',
    true
FROM campaigns_delivery, generate_series(1, 20000) n
"""


@pytest.fixture(autouse=True)
def sink_is_safe(settings):
    settings.REKINDLE_SAFE_SINK = True


@pytest.fixture
def claimed() -> Delivery:
    """One message that counts and keeps the hours of Berlin, in the hands of a sender at ten UTC."""
    mailing.queue(1, counts=True, quiet_zone="Europe/Berlin", not_after=AT + 3 * HOUR)
    (one,) = claim("email", AT, 10)
    return one


def answer(now=AT) -> tuple[bool, list[tuple[str, str, datetime | None]]]:
    """What the fence says of all that is claimed, and what *why* says."""
    claimed = list(Delivery.objects.filter(state="claimed"))
    why = [(one.guard.verdict.value, one.reason, one.again_at) for one in refusals(claimed, now)]
    return bool(fence(claimed, now)), why


def other(name="Other"):
    return mailing.campaign(name=name)


def test_it_leaves_by_day_where_the_person_is(claimed):
    assert answer() == (True, [])


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 3, 2, 3, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 3, 2, 9)),
        (datetime(2026, 3, 2, 8, 59, 59, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 3, 2, 9)),
        (datetime(2026, 3, 2, 20, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 3, 3, 9)),
        # The night in which the clocks go forward, and the one in which they go back.
        (datetime(2026, 3, 28, 22, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 3, 29, 9)),
        (datetime(2026, 10, 24, 22, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 10, 25, 9)),
    ],
)
def test_at_night_it_waits_until_nine_where_the_person_is(claimed, now, opens):
    Delivery.objects.update(not_after=None)
    opens = opens.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert answer(now) == (False, [("requeue", "quiet_hours", opens)])
    assert answer(opens) == (True, [])


def test_lateness_counts_from_the_end_of_the_night(claimed):
    night = AT.replace(hour=4)
    Delivery.objects.update(due_at=night, not_after=night + 3 * HOUR)
    claimed.refresh_from_db()
    settle(of_refusals(refusals([claimed], night), {claimed.pk: claimed}, night), night)
    claimed.refresh_from_db()
    opens = AT.replace(hour=8)
    assert (claimed.state, claimed.not_before) == ("queued", opens)
    assert (claimed.due_at, claimed.not_after) == (opens, opens + 3 * HOUR)
    assert Decision.objects.get().words.startswith("Quiet hours where they are")


def test_the_shops_hours_are_the_shops_to_set(claimed):
    FrequencySettings.objects.update(allowed_from="11:30", allowed_until="12:00")
    assert answer(AT)[0] is False
    assert answer(AT + 30 * MINUTE)[0] is True


def test_an_email_that_answers_a_visit_leaves_at_night(claimed):
    night = AT.replace(hour=22)
    Delivery.objects.update(subject_kind="visit", not_after=None)
    assert answer(night)[0] is False
    engagement.touch("last_seen_at", {claimed.contact_id: night - 29 * MINUTE})
    assert answer(night)[0] is True


def test_nothing_else_leaves_at_night_however_lately_they_were_there(claimed):
    night = AT.replace(hour=22)
    Delivery.objects.update(not_after=None)
    engagement.touch("last_seen_at", {claimed.contact_id: night - MINUTE})
    assert answer(night)[0] is False


def test_a_message_that_left_meanwhile_makes_it_wait_until_it_fits(claimed):
    ana = Contact.objects.get(pk=claimed.contact_id)
    told(ana, other(), AT - HOUR)
    assert answer() == (False, [("requeue", "frequency", AT + 19 * HOUR)])
    Delivery.objects.filter(pk=claimed.pk).update(passes_limits=True)
    assert answer() == (True, [])


def test_only_what_counts_and_left_is_in_its_way(claimed):
    ana = Contact.objects.get(pk=claimed.contact_id)
    before = told(ana, other(), AT - HOUR)
    for changes in (
        {"counts": False},
        {"channel": "sms"},
        {"fenced_at": AT - 20 * HOUR},
        {"contact_id": mailing.people(1, Purpose.objects.get(key="newsletter"), first=50)[0].pk},
    ):
        usual = {name: getattr(before, name) for name in changes}
        Delivery.objects.filter(pk=before.pk).update(**changes)
        assert refusals([claimed], AT) == [], changes
        Delivery.objects.filter(pk=before.pk).update(**usual | {"fenced_at": AT - HOUR})
    assert [one.reason for one in refusals([claimed], AT)] == ["frequency"]
    ChannelLimit.objects.all().delete()
    assert refusals([claimed], AT) == []


def test_a_limit_of_another_purpose_does_not_hold_it(claimed):
    ChannelLimit.objects.all().delete()
    win_back = Purpose.objects.get(key="win_back")
    ChannelLimit.objects.create(channel="email", at_most=1, within=DAY, purpose=win_back)
    ana = Contact.objects.get(pk=claimed.contact_id)
    told(ana, other(), AT - HOUR)
    assert refusals([claimed], AT) == []
    ChannelLimit.objects.update(purpose=claimed.purpose)
    assert [one.reason for one in refusals([claimed], AT)] == ["frequency"]


def test_of_two_to_one_person_in_one_fence_one_leaves():
    campaign = mailing.campaign()
    people = mailing.people(3, campaign.purpose)
    outbox.enqueue(
        mailing.message(person, campaign, counts=True, dedupe_key=f"{person.pk}:{number}")
        for person in people
        for number in range(3)
    )
    claimed = claim("email", AT, 50)
    granted = fence(claimed, AT)
    assert len(granted) == 3
    assert Delivery.objects.filter(pk__in=granted).values("contact_id").distinct().count() == 3


@pytest.mark.parametrize(
    ("drops", "state", "what"),
    [
        ("wait", "queued", "It waits until 19:45 on 3 March, where they are."),
        ("drop", "skipped", "This campaign drops what has to wait."),
    ],
)
def test_at_the_fence_it_is_said_which_limit_is_full_how_full_and_until_when(drops, state, what):
    news = mailing.campaign(name="News", when_beaten=drops)
    ana, boris = mailing.people(2, news.purpose)
    Contact.objects.filter(pk=ana.pk).update(time_zone="Asia/Kathmandu")
    for hours in (3, 100, 120, 140):
        told(ana, news, AT - timedelta(hours=hours))
    outbox.enqueue(
        mailing.message(one, news, counts=True, dedupe_key=f"now:{one.pk}") for one in (ana, boris)
    )
    claimed = claim("email", AT, 10)
    assert len(fence(claimed, AT)) == 1
    mine = {one.pk: one for one in claimed if one.contact_id == ana.pk}
    with CaptureQueriesContext(connection) as asked:
        made = of_refusals(refusals(list(mine.values()), AT), mine, AT)
    assert len(asked) == 3
    settle(made, AT)
    message = Delivery.objects.get(pk__in=mine)
    assert message.state == state
    said = Decision.objects.get(delivery_id=message.pk)
    assert (said.reason, said.words) == (
        "frequency",
        f"Had “News” 3 hours ago; at most 4 e-mails in 7 days (4 of 4 used). {what}",
    )


def test_a_message_that_sleeps_into_the_next_day_takes_an_offer_of_that_day():
    ana = mailing.people(1, mailing.campaign().purpose)[0]
    spring = offer()
    codes(spring, 1)
    message, _ = give(spring, ana)
    tomorrow = AT + DAY
    (one,) = claim("email", AT, 10)
    prepared([one], AT)
    assert answer(AT.replace(hour=23, minute=59)) == (True, [])
    Delivery.objects.update(state="queued", lease_token=None)
    (one,) = claim("email", AT, 10)
    prepared([one], AT)
    assert [found[:2] for found in answer(tomorrow)[1]] == [("requeue", "offer_day")]
    prepared([one], tomorrow)
    assert OfferSlot.objects.get().on_date == tomorrow.date()
    assert answer(tomorrow) == (True, [])
    assert held(message).state == "reserved"


def test_where_the_offer_of_that_day_is_taken_it_goes_without():
    ana = mailing.people(1, mailing.campaign().purpose)[0]
    spring, autumn = offer("Spring"), offer("Autumn")
    codes(spring, 1), codes(autumn, 1)
    message, _ = give(spring, ana)
    give(autumn, ana, AT + DAY)
    claimed = [one for one in claim("email", AT + DAY, 10) if one.pk == message.pk]
    prepared(claimed, AT + DAY)
    assert held(message) is None and Coupon.objects.filter(offer=spring).get().state == "free"
    told = Decision.objects.get(delivery_id=message.pk)
    assert told.words == "Goes without its offer: They have had the offers of today already"
    assert OfferSlot.objects.get().held_for != message.public_id


@pytest.mark.parametrize(
    ("states", "stays"),
    [
        (["claimed", "skipped"], False),
        (["claimed", "suppressed"], False),
        (["claimed", "sending", "failed"], False),
        (["claimed", "sending", "sent"], True),
        (["claimed", "sending", "unknown"], True),
    ],
)
def test_the_offer_of_a_day_is_free_again_when_its_message_did_not_arrive(states, stays):
    ana = mailing.people(1, mailing.campaign().purpose)[0]
    give(offer(codes="none", shared_code=""), ana)
    (one,) = claim("email", AT, 10)
    if "sending" in states:
        prepared([one], AT)
        assert fence([one], AT)
    settle([Settlement(one, states[-1], fenced="sending" in states)], AT)
    assert Delivery.objects.get().state == states[-1]
    assert OfferSlot.objects.exists() is stays


def test_the_fence_looks_a_person_up_by_index_however_many_messages_there_are(claimed):
    """The plan of the guards on a large table: nothing reads it from end to end."""
    statement = _fence_statement(all_guards())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE campaigns_delivery DISABLE TRIGGER USER")
        cursor.execute(OLD_MESSAGES)
        cursor.execute("ANALYZE campaigns_delivery")
        cursor.execute(
            "EXPLAIN " + statement,
            {"ids": [claimed.pk], "tokens": [claimed.lease_token], "now": AT, "seconds": 60},
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on campaigns_delivery" not in plan, plan
    assert "delivery_contact_time" in plan, plan
