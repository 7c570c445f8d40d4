"""In shadow a flow decides and writes down what would have left, and nothing leaves."""

from datetime import timedelta

import pytest

from campaigns.models import Decision, Delivery, Enrolment
from tests.campaigns.flows.stage import AT, DELAY, SEND, WAIT, advance, flow, leave_cart, run, shopper

pytestmark = pytest.mark.django_db


def test_a_flow_in_shadow_walks_everyone_and_sends_nothing():
    campaign = flow(SEND, WAIT, SEND, is_shadow=True)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    advance(AT + timedelta(days=1))
    assert not Delivery.objects.exists()
    would = Decision.objects.filter(verdict=Decision.Verdict.SHADOW).order_by("decided_at")
    assert [decision.step_key for decision in would] == ["step-1", "step-3"]
    assert Enrolment.objects.get().state == Enrolment.State.FINISHED


def test_whoever_tries_a_flow_in_shadow_gets_its_messages():
    campaign = flow(SEND, is_shadow=True)
    ana = shopper(campaign)
    type(ana).objects.update(is_test=True)
    leave_cart(ana, AT - DELAY)
    run(AT)
    assert Delivery.objects.get().contact_id == ana.pk


def test_a_message_is_good_for_as_long_as_its_step_says():
    campaign = flow({**SEND, "expires_after": timedelta(minutes=30)})
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    assert Delivery.objects.get().not_after == AT + timedelta(minutes=30)
