"""What rules can ask about messages and flows, as of any instant."""

from datetime import timedelta

import pytest

from campaigns.models import Delivery
from crm.kernel import rules
from crm.models import Contact
from tests.campaigns.flows.stage import AT, DELAY, SEND, WAIT, flow, leave_cart, run, shopper
from tracking.models import Actor, Event, EventKind

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
