"""Trying a flow: a colleague gets its messages, a test person walks it fast, and nobody is counted."""

from datetime import timedelta

import pytest

from campaigns.delivery import outbox
from campaigns.flows import trying
from campaigns.flows.kinds import playbooks
from campaigns.models import Decision, Delivery, DeliveryState, Due, Enrolment, Sender, Step
from crm.kernel.work import Budget
from crm.models import Purpose, ShopSettings
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, MINUTE, buy, leave_cart, shopper
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def campaign():
    Purpose.objects.get_or_create(
        key="cart_recovery",
        defaults={"name": "Left carts", "kind": Purpose.Kind.MARKETING, "channels": ["email"]},
    )
    ShopSettings.objects.update_or_create(pk=1, defaults={"postal_address": "Nygade 4, København"})
    Sender.objects.create(
        name="Mira",
        email="mira@shop.test",
        person="Mira",
        reply_to="mira@shop.test",
        telephone="+45 1",
        is_default=True,
    )
    made = playbooks.get("campaigns.abandoned_cart").make(AT, only_first=True)
    first = made.versions.get().steps.get()
    wait = {"kind": "campaigns.wait", "params": {"length": "1", "unit": "days"}}
    Step.objects.create(version=first.version, key="wait", position=2, **wait)
    Step.objects.create(
        version=first.version, key="second", position=3, kind=first.kind, template=first.template
    )
    return made


@pytest.fixture
def ana(campaign):
    return shopper(campaign)


def test_a_walk_tells_what_would_happen_when_and_leaves_no_trace(campaign, ana):
    leave_cart(ana, AT - MINUTE)
    stops = trying.walk(campaign, ana, AT)
    assert [(stop.at, stop.verdict) for stop in stops] == [
        (AT, "entered"),
        (AT, "queued"),
        (AT + DAY, "queued"),
        (AT + DAY, "finished"),
    ]
    assert not any(stop.problem for stop in stops)
    assert ana.email in stops[1].message.to_address
    assert stops[1].message.html
    for left_behind in (Enrolment, Due, Delivery, Decision):
        assert not left_behind.objects.exists()


def test_a_walk_says_which_steps_are_not_for_the_person(campaign, ana):
    leave_cart(ana, AT - MINUTE)
    bought = {"all": [{"kind": "crm.ordered", "params": {"times": "1"}}]}
    Step.objects.filter(key="second").update(only_if=bought)
    *_, passed, end = trying.walk(campaign, ana, AT)
    assert (passed.verdict, passed.step_key, end.verdict) == ("passed", "second", "finished")
    what = "Passes by step 3, Send “Abandoned cart: the first reminder”"
    assert passed.words.startswith(f"{what}: it is only for people who")


def test_a_walk_can_really_send_its_messages_to_the_colleague(campaign, ana):
    leave_cart(ana, AT - MINUTE)
    trying.walk(campaign, ana, AT, send_to="Colleague@Example.com", by="mira")
    made = Delivery.objects.all()
    assert {(one.origin, one.test_address) for one in made} == {("test", "colleague@example.com")}
    assert len(made) == 2
    assert not Enrolment.objects.exists()


def test_a_walk_says_where_the_person_would_leave(campaign, ana):
    leave_cart(ana, AT - MINUTE)
    buy(ana, AT)
    assert [stop.words for stop in trying.walk(campaign, ana, AT)][-1] == "They bought."


def test_a_walk_needs_somebody_with_a_cart(campaign, ana):
    with pytest.raises(trying.CannotTry, match="no cart"):
        trying.walk(campaign, ana, AT)


def test_a_test_message_needs_a_real_address(campaign, ana):
    with pytest.raises(trying.CannotTry, match="nobody"):
        trying.send_test(campaign, "nobody", ana, "mira", AT)


@pytest.mark.django_db(transaction=True)
def test_a_test_arrives_though_the_campaign_is_a_draft_and_the_person_bought(campaign, ana, settings):
    leave_cart(ana, AT - MINUTE)
    buy(ana, AT)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        assert len(trying.send_test(campaign, "colleague@example.com", ana, "mira", AT)) == 2
        template = campaign.versions.get().steps.first().template
        trying.send_template_test(template, "colleague@example.com", ana, "mira", AT)
        outbox.deliver(lambda: AT, Budget(20))
        assert [accepted.recipient for accepted in sink.accepted()] == ["colleague@example.com"] * 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.SENT}
