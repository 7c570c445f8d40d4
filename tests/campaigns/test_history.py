"""What we did for and to a person, on their timeline, page by page, in a fixed number of queries."""

from datetime import timedelta

import pytest

from campaigns import history
from crm.kernel import timeline
from tests.campaigns.flows.stage import AT, DELAY, SEND, WAIT, advance, buy, flow, leave_cart, run, shopper

pytestmark = pytest.mark.django_db

MESSAGES, NOES, RUNS = history.Messages.key, history.Noes.key, history.Runs.key


def entries(contact, source, before=None, limit=50):
    return list(timeline.sources.get(source).page(contact.pk, before, limit))


def test_a_run_and_its_message_are_told_with_where_they_stand():
    campaign = flow(SEND, WAIT, SEND)
    ana = shopper(campaign)
    leave_cart(ana, AT - DELAY)
    run(AT)
    (message,) = entries(ana, MESSAGES)
    assert (message.title, message.detail) == ("E-mail “Your cart”: queued", "Left carts")
    assert message.url and message.at == AT
    (inside,) = entries(ana, RUNS)
    assert (inside.title, inside.detail) == ("Entered “Left carts”", "in the flow")
    buy(ana, AT)
    advance(AT + timedelta(days=1))
    assert entries(ana, RUNS)[0].detail == "left early: purchased"
    assert not entries(ana, NOES)


def test_decisions_that_said_no_are_told_and_others_are_not():
    campaign = flow(control_share=1)
    ana = shopper(campaign)
    leave_cart(ana, AT - DELAY)
    run(AT)
    (no,) = entries(ana, NOES)
    assert no.title == "Held out to measure what it earns."
    assert entries(ana, RUNS)[0].detail == "reached the end · control group"


def test_pages_go_on_where_the_last_one_ended(django_assert_num_queries):
    campaigns = [flow(name=f"Flow {number}") for number in range(5)]
    ana = shopper(campaigns[0])
    leave_cart(ana, AT - DELAY)
    run(AT)
    first = timeline.read(ana.pk, None, 4, {"flow", "message"})
    rest = timeline.read(ana.pk, first.next, 20, {"flow", "message"})
    assert len(first.entries) == 4 and len(rest.entries) == 6
    assert len({entry.cursor for entry in [*first.entries, *rest.entries]}) == 10
    with django_assert_num_queries(1):
        entries(ana, MESSAGES)
