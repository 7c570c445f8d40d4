"""A test run over past days: whom the campaign would have written to on each, and what held others back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.flows import recalling
from campaigns.flows.kinds import triggers
from campaigns.flows.recalling import HELD_OUT, LIMITED, NOT_ALLOWED, SENT, TOO_SOON, recall
from campaigns.models import Campaign, ChannelLimit, Decision, Delivery, DeliveryState, Enrolment
from crm.models import ConsentState, Order
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, MINUTE, buy, flow, leave_cart
from tracking.models import Cart

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def not_yet(**changes) -> Campaign:
    return flow(**({"state": Campaign.State.DRAFT, "launched_at": None} | changes))


def sent(campaign: Campaign, days: int = 7) -> dict[int, int]:
    """How many would have been written to, by how many days ago."""
    run = recall(campaign, days, AT)
    return {days - place: day.sent for place, day in enumerate(run.days) if day.sent}


def test_carts_count_on_the_day_they_were_left_whatever_became_of_them_later():
    campaign = not_yet()
    ana, bo, cy, di = mailing.people(4, campaign.purpose)
    leave_cart(ana, AT - 3 * DAY)
    leave_cart(bo, AT - 3 * DAY, state=Cart.State.BOUGHT, closed_at=AT - 2 * DAY)
    buy(bo, AT - 2 * DAY)
    # Bought within the eight minutes: nothing was left.
    leave_cart(cy, AT - 3 * DAY, state=Cart.State.BOUGHT, closed_at=AT - 3 * DAY + 5 * MINUTE)
    leave_cart(di, AT - 5 * DAY, state=Cart.State.EXPIRED, closed_at=AT)
    run = recall(campaign, 7, AT)
    assert sent(campaign) == {3: 2, 5: 1}
    assert (run.sent, run.written_to, run.most.sent) == (3, 3, 2)
    assert [day.on.isoformat() for day in run.days][::6] == ["2026-02-23", "2026-03-01"]
    assert not Enrolment.objects.exists() and not Decision.objects.exists()


def test_it_says_what_would_have_held_the_others_back():
    campaign = not_yet(in_caps=True)
    ChannelLimit.objects.all().delete()
    ChannelLimit.objects.create(channel="email", at_most=1, within=20 * HOUR)
    ana, bo, cy = mailing.people(3, campaign.purpose)
    for contact in (ana, bo, cy):
        leave_cart(contact, AT - 2 * DAY)
    leave_cart(ana, AT - DAY, token="her second")
    ConsentState.objects.filter(address_hash=bo.points.get().address_hash).update(
        may_send=False, status=ConsentState.Status.WITHDRAWN
    )
    other = mailing.campaign(name="News")
    news = mailing.message(cy, other, counts=True)
    news.save()
    moment = {"created_at": AT - 2 * DAY - HOUR, "fenced_at": AT - 2 * DAY - HOUR}
    for state in (DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.SENT):
        Delivery.objects.filter(pk=news.pk).update(state=state, **moment)
    run = recall(campaign, 7, AT)
    assert dict(run.held) == {NOT_ALLOWED: 1, TOO_SOON: 1, LIMITED: 1}
    assert run.sent == 1 and run.days[-1].counts == {TOO_SOON: 1}


def test_whoever_would_be_held_out_to_measure_it_is_not_written_to():
    campaign = not_yet(control_share=Decimal(1))
    leave_cart(mailing.people(1, campaign.purpose)[0], AT - DAY)
    assert dict(recall(campaign, 7, AT).held) == {HELD_OUT: 1}


def test_a_running_campaign_is_tried_as_if_it_had_never_run():
    campaign = flow()
    ana = mailing.people(1, campaign.purpose)[0]
    leave_cart(ana, AT - DAY)
    Enrolment.objects.create(
        contact=ana,
        campaign=campaign,
        version=campaign.current,
        entry="cart:1:0",
        qualified_at=AT - DAY,
        entered_at=AT - DAY + 8 * MINUTE,
    )
    assert sent(campaign) == {1: 1}


def test_only_whole_days_of_the_shop_count_and_as_many_as_were_asked_for():
    campaign = not_yet()
    now, ago = mailing.people(2, campaign.purpose)
    leave_cart(now, AT - HOUR)
    leave_cart(ago, AT - 20 * DAY)
    assert sent(campaign, 7) == {} and sent(campaign, 30) == {20: 1}


def test_orders_of_past_days():
    campaign = not_yet(trigger="campaigns.ordered", trigger_params={"which": "first", "days": "2"})
    ana = mailing.people(1, campaign.purpose)[0]
    buy(ana, AT - 6 * DAY)
    buy(ana, AT - 3 * DAY)
    assert sent(campaign) == {4: 1}, "two days after the first order, and never after the second"
    Order.objects.all().update(status=Order.Status.CANCELLED)
    assert sent(campaign) == {}


@pytest.mark.parametrize(
    ("trigger", "params", "words"),
    [
        ("campaigns.no_purchase", {"days": "14", "unseen_days": "7"}, "looks at how things are now"),
        ("campaigns.repeating", {"every": "day", "time": "10:00", "zone": "person"}, "a colleague chose"),
    ],
)
def test_what_is_not_kept_is_said_in_words_instead(trigger, params, words):
    campaign = not_yet(trigger=trigger, trigger_params=params)
    with pytest.raises(recalling.CannotRecall, match=words):
        recall(campaign, 7, AT)


def test_every_trigger_either_answers_or_says_why_not():
    for trigger in triggers:
        assert trigger.is_recorded != bool(recalling.refusal(trigger)), trigger.key


def test_the_number_of_queries_does_not_grow_with_the_people():
    campaign = not_yet(in_caps=True)
    asked = []
    for first in (1, 2, 12):
        for contact in mailing.people(10 if first > 1 else 1, campaign.purpose, first=first):
            leave_cart(contact, AT - DAY)
        with CaptureQueriesContext(connection) as queries:
            recall(campaign, 7, AT)
        asked.append(len(queries))
    assert len(set(asked)) == 1


def test_whoever_bought_anyway_is_counted_once_with_the_most_the_coupons_would_have_cost():
    campaign = not_yet(reentry_days=0)
    ana, bo, cy, di, eva = mailing.people(5, campaign.purpose)
    for contact in (ana, bo, cy, di, eva):
        leave_cart(contact, AT - 6 * DAY)
    leave_cart(ana, AT - 3 * DAY, token="her second")
    whole = {"total": Decimal(105), "shipping": Decimal(5)}
    buy(ana, AT - 5 * DAY, **whole)
    buy(ana, AT - 2 * DAY, **whole)
    buy(bo, AT - 5 * DAY, total=Decimal(30), shipping=Decimal(10))
    buy(cy, AT - 5 * DAY, status=Order.Status.CANCELLED, **whole)
    buy(di, AT - 7 * DAY, **whole)
    found = recall(campaign, 7, AT).anyway
    assert (found.people, found.days, found.cost) == (2, 7, None)
    offers = (
        ({"kind": "percent", "value": Decimal(10)}, "12.00"),
        ({"kind": "percent", "value": Decimal(10), "minimum": Decimal(50)}, "10.00"),
        ({"kind": "amount", "value": Decimal(25)}, "45.00"),
        ({"kind": "free_shipping", "value": None}, "15.00"),
        ({"kind": "gift", "value": None, "gift": "a mug"}, "None"),
    )
    for number, (offer, cost) in enumerate(offers):
        made = office.offer(f"{number}", number, **offer)
        campaign.versions.get().steps.update(offer=made)
        assert str(recall(campaign, 7, AT).anyway.cost) == cost, offer


def test_the_people_of_a_day_are_listed_by_time_with_what_would_have_become_of_each():
    campaign = not_yet(control_share=Decimal(0))
    ana, bo, cy = mailing.people(3, campaign.purpose)
    leave_cart(bo, AT - 2 * DAY)
    leave_cart(ana, AT - 2 * DAY - HOUR)
    leave_cart(cy, AT - 3 * DAY)
    assert recall(campaign, 7, AT).came == []
    came = recall(campaign, 7, AT, look_at=(AT - 2 * DAY).date()).came
    assert [(one.person, one.verdict) for one in came] == [(ana.pk, SENT), (bo.pk, SENT)]
