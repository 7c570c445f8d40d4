"""Who enters when people come into a segment, or go out of it: forward only, once a stay."""

from datetime import timedelta

import pytest

from campaigns.models import Campaign, Decision, Delivery, Enrolment
from crm.audience import segmentation
from crm.models import Contact, Segment
from tests.campaigns.flows.stage import AT, MINUTE, buy, enrol, flow, run, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NAMED = {"all": [{"kind": "crm.name", "params": {"contains": "vip"}}]}


@pytest.fixture
def segment():
    made = Segment.objects.create(name="VIPs", rule=NAMED, created_at=AT - 9 * DAY)
    segmentation.refresh(made, AT - 8 * DAY)
    return made


def waiting_for(segment, which="entered", **changes):
    params = {"which": which, "segment": str(segment.pk)}
    return flow(trigger="campaigns.segment_moves", trigger_params=params, **changes)


def called(contact, name):
    known = AT - 30 * DAY
    Contact.objects.filter(pk=contact.pk).update(first_name=name, created_at=known, recorded_at=known)


def test_whoever_comes_in_enters_once(segment):
    campaign = waiting_for(segment)
    ana = shopper(campaign)
    called(ana, "vip")
    segmentation.refresh(segment, AT)
    assert [enrol(AT), enrol(AT + MINUTE)] == [1, 0]
    entered = Enrolment.objects.get()
    assert (entered.contact_id, entered.qualified_at) == (ana.pk, AT)
    assert "came into a segment" in Decision.objects.first().words


def test_whoever_was_in_before_the_launch_or_when_it_was_first_filled_does_not_enter(segment):
    campaign = waiting_for(segment, launched_at=AT)
    called(shopper(campaign), "vip")
    segmentation.refresh(segment, AT - MINUTE)
    assert enrol(AT + MINUTE) == 0
    fresh = Segment.objects.create(name="Fresh", rule=NAMED, created_at=AT)
    Campaign.objects.update(trigger_params={"which": "entered", "segment": str(fresh.pk)})
    segmentation.refresh(fresh, AT + MINUTE)
    assert fresh.size == 1 and enrol(AT + 2 * MINUTE) == 0


def test_whoever_goes_out_enters_where_that_is_asked_for(segment):
    campaign = waiting_for(segment, "left")
    ana = shopper(campaign)
    called(ana, "vip")
    segmentation.refresh(segment, AT - DAY)
    called(ana, "Ana")
    segmentation.refresh(segment, AT)
    assert enrol(AT) == 1


def test_in_and_out_and_in_again_counts_after_the_time_of_re_entry(segment):
    campaign = waiting_for(segment, reentry_days=7)
    ana = shopper(campaign)
    for day, name in enumerate(["vip", "Ana", "vip", "Ana"] + ["Ana"] * 4 + ["vip"]):
        called(ana, name)
        segmentation.refresh(segment, AT + day * DAY)
        enrol(AT + day * DAY)
    assert list(Enrolment.objects.order_by("entered_at").values_list("entered_at", flat=True)) == [
        AT,
        AT + 8 * DAY,
    ]


def test_a_purchase_after_coming_in_ends_it(segment):
    campaign = waiting_for(segment)
    ana = shopper(campaign)
    called(ana, "vip")
    segmentation.refresh(segment, AT)
    enrol(AT)
    buy(ana, AT + MINUTE)
    run(AT + 2 * MINUTE)
    assert Enrolment.objects.get().left_reason == "purchased"


def test_a_purchase_between_coming_in_and_being_let_in_ends_it_before_a_message(segment):
    campaign = waiting_for(segment)
    ana = shopper(campaign)
    called(ana, "vip")
    segmentation.refresh(segment, AT)
    buy(ana, AT + MINUTE)
    run(AT + 2 * MINUTE)
    assert Enrolment.objects.get().left_reason == "purchased"
    assert not Delivery.objects.exists()


def test_a_closed_segment_pauses_the_campaign_and_says_why(segment):
    campaign = waiting_for(segment)
    Segment.objects.update(problem="its product was deleted")
    assert enrol(AT) == 0
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PAUSED and "its product was deleted" in campaign.problem
