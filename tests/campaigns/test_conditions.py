"""What rules can ask about messages and flows, as of any instant."""

from datetime import timedelta

import pytest

from campaigns.models import Delivery, Enrolment
from campaigns.results import attribution
from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact, ContactPoint
from crm.people import preferences
from crm.people.links import Mailed
from tests.campaigns.flows.stage import AT, DELAY, SEND, WAIT, buy, flow, leave_cart, run, shopper
from tracking.models import Actor, Event, EventKind
from tracking.visits.activity import moments_of

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def campaign():
    return flow(SEND, WAIT)


@pytest.fixture
def ana(campaign):
    """Was sent a message at AT, clicked an hour later; Boris got nothing."""
    person = shopper(campaign, 1)
    shopper(campaign, 2)
    leave_cart(person, AT - DELAY)
    run(AT)
    for state in ("claimed", "sending", "sent"):
        Delivery.objects.update(state=state, finished_at=AT)
    at = AT + HOUR
    Event.objects.create(
        contact=person,
        kind=EventKind.CLICK,
        actor=Actor.HUMAN,
        ref=Delivery.objects.get().public_id,
        occurred_at=at,
        recorded_at=at,
    )
    return person


@pytest.mark.parametrize(
    ("kind", "params", "at", "is_true"),
    [
        ("campaigns.received", {"days": "3", "times": "1"}, AT, True),
        ("campaigns.received", {"days": "3", "times": "2"}, AT, False),
        ("campaigns.received", {"days": "3", "times": "1"}, AT - HOUR, False),
        ("campaigns.received", {"days": "3", "times": "1"}, AT + 4 * DAY, False),
        ("campaigns.clicked", {"days": "3"}, AT + 2 * HOUR, True),
        ("campaigns.clicked", {"days": "3"}, AT, False),
        ("campaigns.in_flow", {}, AT, True),
        ("campaigns.in_flow", {}, AT - HOUR, False),
    ],
)
def test_it_is_true_of_whom_it_says(campaign, ana, kind, params, at, is_true):
    for of_campaign in ({}, {"campaign": str(campaign.pk)}):
        rule = {"all": [{"kind": kind, "params": params | of_campaign}]}
        assert not rules.problems(rule)
        assert list(Contact.objects.filter(rules.compile(rule, at))) == ([ana] if is_true else [])
    other = {"all": [{"kind": kind, "params": params | {"campaign": str(flow().pk)}}]}
    assert not Contact.objects.filter(rules.compile(other, at)).exists()


def test_a_scanners_click_is_nobodys(campaign, ana):
    Event.objects.update(actor=Actor.MACHINE)
    rule = {"all": [{"kind": "campaigns.clicked", "params": {"days": "3"}}]}
    assert not Contact.objects.filter(rules.compile(rule, AT + DAY)).exists()


def test_each_speaks_and_gives_its_evidence(campaign, ana):
    rule = {
        "all": [
            {
                "kind": "campaigns.received",
                "params": {"days": "3", "times": "2", "campaign": str(campaign.pk)},
            },
            {"kind": "campaigns.clicked", "params": {"days": "1"}},
            {"kind": "campaigns.in_flow", "params": {}},
        ]
    }
    words = rules.sentence(rule)
    assert "were sent a message of “Left carts” at least 2 times in the last 3 days" in words
    assert "clicked in a message in the last 1 day" in words and "are in a flow" in words
    found = rules.explain(Contact.objects.filter(pk=ana.pk), rule, AT + 2 * HOUR)
    assert [leaf.evidence for leaf in found.root.leaves()] == [
        "1 sent",
        "last clicked on 2 March 2026",
        "entered on 2 March 2026",
    ]


def event(person, kind, at, actor=Actor.HUMAN, ref=None):
    Event.objects.create(
        contact=person,
        kind=kind,
        actor=actor,
        ref=ref or Delivery.objects.get().public_id,
        occurred_at=at,
        recorded_at=at,
    )


def who(kind, at, scope=None, **params):
    rule = {"all": [{"kind": f"campaigns.{kind}", "params": params}]}
    assert not rules.problems(rule), rules.problems(rule)
    then = set(Contact.objects.filter(rules.compile(rule, at)))
    for seen_now in (
        Scope(current=True),
        Scope(current=True, among=list(Contact.objects.values_list("pk", flat=True))),
    ):
        assert set(Contact.objects.filter(rules.compile(rule, at, seen_now))) == then
    turned = {"none": [{"none": rule["all"]}]}
    assert set(Contact.objects.filter(rules.compile(turned, at))) == then
    return then


def test_how_often_is_at_least_at_most_or_exactly(campaign, ana):
    boris = Contact.objects.exclude(pk=ana.pk).get()
    event(ana, EventKind.CLICK, AT + 2 * HOUR)
    at = AT + 3 * HOUR
    assert who("clicked", at, days="3", times="2") == {ana}
    assert who("clicked", at, days="3", times="3") == set()
    assert who("clicked", at, days="3", which="exactly", times="2") == {ana}
    assert who("clicked", at, days="3", which="most", times="1") == {boris}
    assert who("received", at, days="3", which="most", times="1") == {ana, boris}


def test_a_click_is_in_the_last_days_to_the_second(campaign, ana):
    clicked_at = AT + HOUR
    assert who("clicked", clicked_at + 3 * DAY - timedelta(seconds=1), days="3") == {ana}
    assert who("clicked", clicked_at + 3 * DAY, days="3") == set()
    rule = {"all": [{"kind": "campaigns.clicked", "params": {"days": "3"}}]}
    [turned] = rules.drift(rule, clicked_at + 3 * DAY - HOUR, clicked_at + 3 * DAY)
    assert list(turned) == [{"contact_id": ana.pk}]


def test_opens_by_people_and_by_machines_are_told_apart(campaign, ana):
    event(ana, EventKind.OPEN, AT + HOUR, Actor.MACHINE)
    at = AT + 2 * HOUR
    assert who("opened", at, by="people", days="3") == set()
    assert who("opened", at, by="machines", days="3") == {ana}
    assert who("opened", at, by="any", days="3") == {ana}
    event(ana, EventKind.OPEN, AT + HOUR, Actor.LIKELY_HUMAN)
    assert who("opened", at, by="people", days="3", campaign=str(campaign.pk)) == {ana}
    assert who("opened", at, by="any", days="3", times="2") == {ana}
    assert who("opened", at, by="any", days="3", campaign=str(flow().pk)) == set()
    machines = {"kind": "campaigns.opened", "params": {"by": "machines", "days": "3"}}
    assert rules.drift({"all": [machines]}, AT, at) is None
    assert rules.sentence({"all": [machines]}) == (
        "People who opened a message in the last 3 days, by a machine or proxy."
    )


def test_answers_are_events_and_stir_the_person(campaign, ana):
    assert moments_of("reply", True) == ("last_reply_at",)
    assert who("replied", AT + 2 * HOUR, days="3") == set()
    event(ana, EventKind.REPLY, AT + HOUR)
    assert who("replied", AT + 2 * HOUR, days="3") == {ana}
    assert who("replied", AT, days="3") == set()
    assert who("replied", AT + 2 * HOUR, days="3", campaign=str(flow().pk)) == set()


def test_clicked_and_bought_or_had_the_time_and_did_not(campaign, ana):
    asked = {"days": "30", "within": "3", "campaign": str(campaign.pk)}
    clicked_at = AT + HOUR
    assert who("clicked_then", clicked_at + 3 * DAY - HOUR, then="not", **asked) == set()
    assert who("clicked_then", clicked_at + 3 * DAY, then="not", **asked) == {ana}
    rule = {"all": [{"kind": "campaigns.clicked_then", "params": {"then": "not"} | asked}]}
    turned = rules.drift(rule, clicked_at + 3 * DAY - HOUR, clicked_at + 3 * DAY)
    assert {"contact_id": ana.pk} in list(turned[1])
    order = buy(ana, clicked_at + 3 * DAY + HOUR)
    at = clicked_at + 5 * DAY
    assert who("clicked_then", at, then="not", **asked) == {ana}
    assert who("clicked_then", at, then="bought", **asked) == set()
    type(order).objects.update(occurred_at=clicked_at + 3 * DAY, recorded_at=clicked_at + 3 * DAY)
    assert who("clicked_then", at, then="bought", **asked) == {ana}
    assert who("clicked_then", at, then="not", **asked) == set()
    assert rules.sentence(rule) == (
        "People who clicked in a message of “Left carts” in the last 30 days"
        " and did not buy within 3 days of it."
    )


def test_bought_after_a_message_by_its_credit(campaign, ana):
    order = buy(ana, AT + 2 * HOUR)
    attribution.credit(AT + DAY, AT - DAY)
    assert who("bought_after", AT + DAY, days="3") == {ana}
    assert who("bought_after", AT + DAY, days="3", campaign=str(campaign.pk)) == {ana}
    assert who("bought_after", AT + DAY, days="3", campaign=str(flow().pk)) == set()
    assert who("bought_after", AT + DAY, days="3", times="2") == set()
    assert who("bought_after", order.occurred_at + 3 * DAY, days="3") == set()


def test_unsubscribed_by_the_link_of_a_message(campaign, ana):
    address = ContactPoint.objects.get(contact=ana).address_hash
    link = Mailed(bytes(address), campaign.purpose_id, Delivery.objects.get().public_id)
    preferences.stop(link, AT + 2 * HOUR, {})
    at = AT + DAY
    assert who("unsubscribed", at, days="3") == {ana}
    assert who("unsubscribed", at, days="3", campaign=str(campaign.pk)) == {ana}
    assert who("unsubscribed", at, days="3", campaign=str(flow().pk)) == set()
    assert who("unsubscribed", AT + HOUR, days="3") == set()
    assert who("unsubscribed", AT + 4 * DAY, days="3") == set()
    rule = {"all": [{"kind": "campaigns.unsubscribed", "params": {"days": "3"}}]}
    [turned] = rules.drift(rule, AT + 3 * DAY, AT + 4 * DAY)
    assert list(turned) == [{"contact_id": ana.pk}]
    assert rules.sentence(rule) == "People who unsubscribed by a message in the last 3 days."
    found = rules.explain(Contact.objects.filter(pk=ana.pk), rule, at)
    assert [leaf.evidence for leaf in found.root.leaves()] == ["last on 2 March 2026"]


def test_entered_ended_left_and_held_out(campaign, ana):
    boris = Contact.objects.exclude(pk=ana.pk).get()
    for what in ("entered", "finished", "left"):
        assert who("was_in_flow", AT, what=what) == ({ana} if what == "entered" else set())
    leave_cart(boris, AT - DELAY)
    run(AT)
    Enrolment.objects.filter(contact=boris).update(arm="control", state="left", finished_at=AT + HOUR)
    Enrolment.objects.filter(contact=ana).update(state="finished", finished_at=AT + 2 * DAY)
    at = AT + 3 * DAY
    assert who("was_in_flow", at, what="finished", campaign=str(campaign.pk)) == {ana}
    assert who("was_in_flow", AT + DAY, what="finished") == set()
    assert who("was_in_flow", at, what="left") == {boris}
    assert who("was_in_flow", at, what="left", within_days="2") == set()
    assert who("was_in_flow", at, what="entered", from_day="2026-03-02", to_day="2026-03-02") == {ana, boris}
    assert who("control_group", at) == {boris}
    assert who("control_group", at, campaign=str(flow().pk)) == set()
    assert who("in_flow", at) == set()
    rule = {"all": [{"kind": "campaigns.in_flow", "params": {}}]}
    [lately] = rules.drift(rule, AT + 2 * DAY - HOUR / 2, AT + 2 * DAY)
    assert list(lately) == [{"contact_id": ana.pk}]
    assert not any(rules.drift(rule, at, at + HOUR)[0])
    said = {"kind": "campaigns.was_in_flow", "params": {"what": "left", "within_days": "7"}}
    assert rules.sentence({"all": [said]}) == "People who left a flow early in the last 7 days."
    said = {"kind": "campaigns.control_group", "params": {"campaign": str(campaign.pk)}}
    assert rules.sentence({"all": [said]}) == (
        "People who were held out of “Left carts” as its control group."
    )


def test_the_smallest_change_of_messages(campaign, ana):
    for kind, change in (
        ("received", "2 more messages of “Left carts” in the last 3 days"),
        ("clicked", "2 more clicks in a message of “Left carts” in the last 3 days"),
        ("replied", "3 more answers to a message of “Left carts” in the last 3 days"),
    ):
        params = {"days": "3", "times": "3", "campaign": str(campaign.pk)}
        rule = {"all": [{"kind": f"campaigns.{kind}", "params": params}]}
        found = rules.explain(Contact.objects.filter(pk=ana.pk), rule, AT + 2 * HOUR)
        assert found.change == f"It would be in with: {change}"
