"""Marketing rests for a person: nothing of it leaves until then, and what a colleague stopped never does."""

from datetime import timedelta

import pytest

from campaigns.delivery.claiming import claim
from campaigns.delivery.fencing import fence, refusals
from campaigns.flows import stopping
from campaigns.models import Decision, Delivery, Due, Enrolment
from crm.models import Purpose
from crm.people import pausing
from tests.campaigns import mailing
from tests.campaigns.flows import stage
from tests.campaigns.gatehouse import by_hand, put_in, writes

pytestmark = pytest.mark.django_db

AT = stage.AT
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def sink_is_safe(settings):
    settings.REKINDLE_SAFE_SINK = True


@pytest.fixture
def claimed() -> Delivery:
    mailing.queue(1)
    (one,) = claim("email", mailing.AT, 10)
    return one


def said(delivery, now=mailing.AT):
    return [(one.reason, one.again_at) for one in refusals([delivery], now)]


def test_a_message_waits_until_the_pause_is_over_or_it_is_too_late(claimed):
    pausing.pause(claimed.contact_id, mailing.AT + 3 * DAY, mailing.AT, by="ada")
    Delivery.objects.update(not_after=None)
    assert said(claimed) == [("marketing_paused", mailing.AT + 3 * DAY)]
    assert not fence([claimed], mailing.AT)
    Delivery.objects.update(not_after=mailing.AT + DAY)
    assert said(claimed) == [("marketing_paused", mailing.AT + DAY)]
    assert said(claimed, mailing.AT + DAY)[0][0] == "late"


def test_a_pause_that_is_over_and_one_of_somebody_else_stop_nothing(claimed):
    pausing.pause(claimed.contact_id, mailing.AT, mailing.AT - DAY, by="ada")
    pausing.pause(mailing.people(1, claimed.purpose, first=9)[0].pk, mailing.AT + DAY, mailing.AT, by="ada")
    assert said(claimed) == [] and fence([claimed], mailing.AT)


def test_a_pause_that_spares_a_purpose_lets_its_marketing_go_on(claimed):
    until = mailing.AT + DAY
    other = Purpose.objects.exclude(pk=claimed.purpose_id).first()
    pausing.pause_all([claimed.contact_id], until, mailing.AT, by="ada", spares=[other.pk])
    assert [reason for reason, _again in said(claimed)] == ["marketing_paused"]
    pausing.pause_all(
        [claimed.contact_id], until + DAY, mailing.AT, by="ada", spares=[other.pk, claimed.purpose_id]
    )
    assert said(claimed) == []


def test_what_belongs_to_an_order_goes_on(claimed):
    pausing.pause(claimed.contact_id, mailing.AT + DAY, mailing.AT, by="ada")
    Purpose.objects.filter(pk=claimed.purpose_id).update(kind=Purpose.Kind.TRANSACTIONAL)
    assert "marketing_paused" not in [reason for reason, _again in said(claimed)]


def test_taken_out_they_are_in_no_flow_and_what_was_queued_does_not_leave():
    with by_hand():
        course = writes("Course", stage.SEND, stage.WAIT, stage.SEND)
        ana, bea = stage.shopper(course, 1), stage.shopper(course, 2)
        put_in(course, ana, bea)
        stage.advance(AT)
        assert stopping.take_out(ana.pk, AT, words="ada took them out of every campaign.") == 1
    assert list(Due.objects.values_list("contact_id", flat=True)) == [bea.pk]
    assert Enrolment.objects.get(contact=ana).state == Enrolment.State.LEFT
    left = Decision.objects.get(contact=ana, reason="taken_out")
    assert (left.verdict, left.words) == ("left", "ada took them out of every campaign.")
    refused = {one.contact_id: reason for one in claim("email", AT, 10) for reason, _again in said(one, AT)}
    assert refused == {ana.pk: "taken_out"}
