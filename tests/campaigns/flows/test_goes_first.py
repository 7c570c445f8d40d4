"""What goes before others beside the priority number: messages that people asked for, and those made for
people of a status, to whoever holds it.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.delivery import fencing
from campaigns.delivery.claiming import claim
from campaigns.flows.kinds import playbooks, steps
from campaigns.models import Delivery, Due, Step
from crm.kernel import clock
from crm.models import Purpose, Status
from crm.people import statuses
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows import stage
from tests.campaigns.flows.stage import SEND, WAIT, advance
from tests.campaigns.gatehouse import AT, DAY, HOUR, MINUTE, all_leave, by_hand, put_in, said_of, told, writes

pytestmark = pytest.mark.django_db

ASKED = SEND | {"params": {"asked_for": "on"}}


@pytest.fixture(autouse=True)
def nobody_enters_by_themselves():
    with by_hand():
        yield


@pytest.fixture
def ana():
    return mailing.people(1, Purpose.objects.get(key="cart_recovery"))[0]


@pytest.fixture
def vip():
    return Status.objects.create(key="vip", name="VIP", lasts_days=30, created_at=AT)


def sent_by(campaign):
    return Delivery.objects.filter(campaign=campaign).count()


def test_of_two_of_the_same_number_the_one_made_for_vips_goes_first_to_them(ana, vip):
    boris = mailing.people(1, Purpose.objects.get(key="cart_recovery"), first=7)[0]
    statuses.grant(ana.pk, vip, AT - DAY, "ada")
    news, evening = writes("News", priority=80), writes("Evening", priority=80, for_status=vip)
    for campaign in (news, evening):
        put_in(campaign, ana, boris)
    advance(AT)
    assert list(Delivery.objects.filter(campaign=evening).values_list("contact_id", flat=True)) == [ana.pk]
    assert list(Delivery.objects.filter(campaign=news).values_list("contact_id", flat=True)) == [boris.pk]
    [waited] = [words for verdict, reason, words in said_of(news) if reason == "beaten"]
    assert waited == (
        "“Evening” goes first, as it is for people who are VIP: it is due to them now. It waits for its turn."
    )


@pytest.mark.parametrize("case", ["ran out", "lower number", "both", "control group"])
def test_a_status_weighs_only_for_who_holds_it_and_only_among_equals(ana, vip, case):
    statuses.grant(ana.pk, vip, AT - DAY, "ada")
    news = writes("News", priority=80, for_status=vip if case == "both" else None)
    evening = writes("Evening", priority=90 if case == "lower number" else 80, for_status=vip)
    put_in(evening, ana)
    Due.objects.update(due_at=AT + HOUR)
    put_in(news, ana)
    if case == "ran out":
        statuses.end(ana.pk, vip, AT - HOUR, "ada")
    if case == "control group":
        evening.enrolments.update(arm="control")
    advance(AT)
    assert sent_by(news) == 1


def test_what_was_asked_for_passes_a_full_limit_counts_and_is_let_through_by_the_fence(ana):
    news, welcome = writes("News"), writes("Welcome", ASKED, priority=95)
    told(ana, news, AT - HOUR)
    put_in(welcome, ana)
    advance(AT)
    message = Delivery.objects.get(campaign=welcome)
    assert (message.counts, message.passes_limits) == (True, True)
    [claimed] = claim("email", AT, 10)
    assert fencing.fence([claimed], AT) == {message.pk}
    put_in(news, ana)
    advance(AT + MINUTE)
    assert said_of(news)[-1][2].startswith("Had “Welcome” 1 minute ago; at most one e-mail in 20 hours")


def test_what_was_asked_for_goes_before_every_number_and_says_so(ana):
    cart_help, welcome = writes("Help", priority=1), writes("Welcome", WAIT, ASKED, priority=95)
    put_in(welcome, ana, at=AT - 23 * HOUR)
    advance(AT - 23 * HOUR)
    put_in(cart_help, ana)
    advance(AT)
    advance(AT + HOUR)
    assert (sent_by(welcome), sent_by(cart_help)) == (1, 0)
    assert [words for _, reason, words in said_of(cart_help) if reason == "beaten"] == [
        "“Welcome” goes first, as they asked for it: it is due to them at 11:00. It waits for its turn."
    ]


def test_only_the_step_that_says_so_passes_the_next_one_of_the_same_flow_waits(ana):
    welcome = writes(
        "Welcome", ASKED, {"kind": WAIT["kind"], "params": {"length": "1", "unit": "hours"}}, SEND
    )
    put_in(welcome, ana)
    advance(AT)
    all_leave(AT)
    advance(AT + HOUR)
    assert sent_by(welcome) == 1
    assert said_of(welcome)[-1][2].startswith("Had “Welcome” 1 hour ago")


def test_an_answer_that_was_asked_for_leaves_at_night_to_whoever_is_awake(ana):
    night = AT.replace(hour=22)
    welcome = writes("Welcome", ASKED, quiet_hours=True)
    put_in(welcome, ana, at=night)
    advance(night)
    assert not sent_by(welcome)
    stage.seen(ana, night)
    Due.objects.update(due_at=night)
    advance(night)
    message = Delivery.objects.get(campaign=welcome)
    [claimed] = claim("email", night, 10)
    assert fencing.fence([claimed], night + timedelta(minutes=5)) == {message.pk}


def test_the_playbooks_say_which_of_their_messages_were_asked_for():
    office.set_up_shop()
    office.sender()
    asked = {}
    for play in playbooks:
        rows = Step.objects.filter(version__campaign=play.make(clock.now())).order_by("position")
        asked[play.key] = [
            row.key for row in rows if row.kind in steps and steps.get(row.kind).was_asked_for(row.params)
        ]
    assert {key: keys for key, keys in asked.items() if keys} == {
        "campaigns.welcome": ["first-message"],
        "campaigns.back_in_stock": ["first-message"],
    }


def test_a_campaign_is_made_for_a_status_on_its_page_and_the_order_of_all_shows_it(ada, vip):
    office.set_up_shop()
    office.sender()
    campaign = office.draft(clock.now())
    page = reverse("admin:campaigns_campaign_change", args=[campaign.pk]) + "?section=who"
    shown = " ".join(ada.get(page).content.decode().split())
    assert "Made for people who are" in shown and "go before those of other campaigns of the same" in shown
    campaign.for_status = vip
    campaign.save()
    order = ada.get(reverse("admin:campaigns_frequencysettings_change", args=[1])).content.decode()
    assert "first to VIP" in order


def test_the_gate_asks_as_much_of_statuses_for_two_people_as_for_forty(vip):
    news = writes("News", priority=80)
    evening = writes("Evening", priority=80, for_status=vip)
    few, many = mailing.people(2, news.purpose, first=10), mailing.people(40, news.purpose, first=100)
    counts = []
    for people in (few, many):
        for person in people[::2]:
            statuses.grant(person.pk, vip, AT - DAY, "ada")
        put_in(evening, *people)
        Due.objects.filter(campaign=evening).update(due_at=AT + HOUR)
        put_in(news, *people)
        with CaptureQueriesContext(connection) as asked:
            advance(AT)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 36
    assert sent_by(news) == 21
