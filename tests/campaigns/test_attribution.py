"""An order is credited to the last human click or cart brought back within five days; opens earn nothing."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from campaigns.models import Delivery, OrderCredit
from campaigns.results import attribution
from crm.models import Contact, Order
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, buy, flow, leave_cart, shopper
from tracking.models import Actor, Event, EventKind

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ana():
    return shopper(flow())


@pytest.fixture
def delivery(ana):
    return mailed(ana)


def mailed(contact):
    made = mailing.message(contact, flow(), dedupe_key=f"j:{uuid4()}:step-1:1")
    made.save()
    return made


def touch(delivery, at, kind=EventKind.CLICK, actor=Actor.HUMAN):
    Event.objects.create(
        contact_id=delivery.contact_id,
        kind=kind,
        actor=actor,
        ref=delivery.public_id,
        occurred_at=at,
        recorded_at=at,
    )


def credit(now=AT + 10 * DAY):
    return attribution.credit(now, AT - 10 * DAY)


def test_the_amount_is_without_tax_shipping_and_what_was_paid_back(ana, delivery):
    touch(delivery, AT)
    buy(ana, AT + HOUR, total=Decimal(119), tax=Decimal(19), shipping=Decimal(5), refunded=Decimal(20))
    assert credit() == 1
    found = OrderCredit.objects.get()
    assert (found.delivery_id, found.campaign, found.how) == (delivery.pk, delivery.campaign, "click")
    assert (found.amount, found.at_once, found.touched_at) == (Decimal(75), True, AT)


def test_running_again_changes_nothing(ana, delivery):
    touch(delivery, AT)
    buy(ana, AT + HOUR)
    assert [credit(), credit()] == [1, 0]
    assert OrderCredit.objects.count() == 1


def test_the_last_touch_wins_even_where_we_learn_of_it_later(ana, delivery):
    later = mailed(ana)
    touch(delivery, AT)
    buy(ana, AT + 3 * HOUR)
    credit()
    touch(later, AT + HOUR, kind=EventKind.LANDING)
    credit()
    assert OrderCredit.objects.get().delivery_id == later.pk


@pytest.mark.parametrize(
    ("kind", "actor", "after"),
    [
        (EventKind.OPEN, Actor.HUMAN, HOUR),
        (EventKind.CLICK, Actor.MACHINE, HOUR),
        (EventKind.CLICK, Actor.HUMAN, 5 * DAY + HOUR),
        (EventKind.CLICK, Actor.HUMAN, -HOUR),
    ],
)
def test_what_earns_nothing(ana, delivery, kind, actor, after):
    touch(delivery, AT, kind, actor)
    buy(ana, AT + after)
    assert credit() == 0


def test_a_later_order_counts_but_not_at_once(ana, delivery):
    touch(delivery, AT)
    buy(ana, AT + 2 * DAY)
    credit()
    assert not OrderCredit.objects.get().at_once


def test_a_cart_brought_back_counts_without_any_click(ana, delivery):
    cart = leave_cart(ana, AT, restored_at=AT + HOUR, restored_ref=delivery.public_id)
    buy(ana, AT + 2 * HOUR, cart_token=cart.token)
    credit()
    assert OrderCredit.objects.get().how == "restored"


def test_refunds_and_cancellations_are_followed(ana, delivery):
    touch(delivery, AT)
    order = buy(ana, AT + HOUR, total=Decimal(50))
    credit()
    Order.objects.filter(pk=order.pk).update(refunded=Decimal(20))
    credit()
    assert OrderCredit.objects.get().amount == Decimal(30)
    Order.objects.filter(pk=order.pk).update(status=Order.Status.CANCELLED)
    credit()
    assert not OrderCredit.objects.exists()


def test_test_people_and_test_messages_earn_nothing(ana, delivery):
    touch(delivery, AT)
    buy(ana, AT + HOUR)
    Contact.objects.filter(pk=ana.pk).update(is_test=True)
    assert credit() == 0
    Contact.objects.filter(pk=ana.pk).update(is_test=False)
    Delivery.objects.filter(pk=delivery.pk).update(origin=Delivery.Origin.TEST)
    assert credit() == 0
