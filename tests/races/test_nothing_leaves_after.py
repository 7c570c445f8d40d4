"""S7 and S8: whatever ends a message between its rendering and its fence ends it, every time.

The sender is held right before the fence, with the message rendered and its body at the server; somebody else
commits; the sender goes on.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection

from campaigns.delivery import outbox
from campaigns.models import Campaign, Decision, Delivery, DeliveryAttempt
from crm.models import Contact, ContactPoint, Order
from crm.people import consent
from crm.people.consent import Said
from crm.people.identity import Known
from crm.shop.intake import OrderIn, record_orders
from tests.campaigns import mailing
from tests.sink.smtp import SmtpSink
from tracking.models import Cart, InboundEvent, Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]

Commit = Callable[[Sequence[Delivery]], None]
AFTER = mailing.AT - timedelta(seconds=1)


@pytest.fixture
def raced(settings):
    """Sends what is queued; `commit` runs elsewhere for each group that stands before the fence."""

    def race(commit: Commit, seconds: float = 50) -> SmtpSink:
        def elsewhere(waiting: Sequence[Delivery]) -> None:
            errors: list[BaseException] = []

            def work() -> None:
                try:
                    commit(waiting)
                except BaseException as error:  # noqa: BLE001 - raised again in the sender's thread
                    errors.append(error)
                finally:
                    connection.close()

            thread = Thread(target=work)
            thread.start()
            thread.join()
            if errors:
                raise errors[0]

        settings.REKINDLE_BARRIERS = {"fence": elsewhere}
        with SmtpSink() as sink:
            mailing.into(sink, settings)
            mailing.send(seconds=seconds)
        settings.REKINDLE_BARRIERS = {}
        return sink

    return race


def order(contact_id=None, email: str = "", **changes) -> OrderIn:
    usual = {
        "external_id": str(uuid4()),
        "placed_at": AFTER,
        "source_at": AFTER,
        "currency": "EUR",
        "total": Decimal(40),
    }
    return OrderIn(**(usual | {"contact_id": contact_id, "known": Known(email=email)} | changes))


def by_the_person(delivery: Delivery) -> None:
    record_orders([order(contact_id=delivery.contact_id)], AFTER, source="api")


def by_their_address(delivery: Delivery) -> None:
    """A guest order that another contact row got, with the same address on it."""
    other = Contact.objects.create(first_name="Guest")
    theirs = ContactPoint.objects.get(address_hash=bytes(delivery.address_hash)).address
    record_orders([order(contact_id=other.id, email=theirs)], AFTER, source="api")
    assert Order.objects.get(contact=other).address_hash


def by_the_cart(delivery: Delivery) -> None:
    record_orders(
        [order(email=f"{uuid4()}@example.com", cart_token=delivery.cart_token)], AFTER, source="api"
    )


def by_the_checkout(delivery: Delivery) -> None:
    record_orders(
        [order(email=f"{uuid4()}@example.com", checkout_id=delivery.checkout_id)], AFTER, source="api"
    )


WAYS = [by_the_person, by_their_address, by_the_cart, by_the_checkout]


def buyers_and_others(bought: int, others: int) -> tuple[set[str], set[str]]:
    queued = mailing.queue(bought + others, with_carts=True)
    for delivery in queued:
        delivery.checkout_id = f"checkout-{delivery.id}"
    Delivery.objects.bulk_update(queued, ["checkout_id"])
    names = [str(delivery.public_id) for delivery in queued]
    return set(names[:bought]), set(names[bought:])


def test_a_purchase_committed_before_the_fence_stops_the_message(raced):
    buyers, others = buyers_and_others(200, 40)
    used = []

    def buy(waiting: Sequence[Delivery]) -> None:
        for delivery in waiting:
            if str(delivery.public_id) in buyers:
                way = WAYS[len(used) % len(WAYS)]
                used.append(way)
                way(delivery)

    sink = raced(buy)
    assert len(used) == 200 and set(used) == set(WAYS)
    assert set(sink.copies()) == others
    suppressed = Delivery.objects.filter(state="suppressed", reason="purchased", public_id__in=buyers)
    assert suppressed.count() == 200
    assert DeliveryAttempt.objects.count() == len(others)
    assert Decision.objects.filter(verdict="suppressed", words="They bought in the meantime").count() == 200


def test_an_order_nobody_has_read_yet_holds_the_message(raced, settings):
    buyers, others = buyers_and_others(60, 10)
    visitors = {}
    for delivery in Delivery.objects.all():
        visitors[delivery.id] = Visitor.objects.create(id=uuid4(), contact_id=delivery.contact_id).id

    def told(waiting: Sequence[Delivery]) -> None:
        for delivery in waiting:
            if str(delivery.public_id) in buyers:
                match delivery.id % 3:
                    case 0:
                        names = {"cart_token": delivery.cart_token}
                    case 1:
                        names = {"address_hash": bytes(delivery.address_hash)}
                    case _:
                        names = {"visitor_id": visitors[delivery.id]}
                InboundEvent.objects.create(source="collect", body={}, has_order=True, **names)

    sink = raced(told)
    assert set(sink.copies()) == others
    waiting = Delivery.objects.filter(state="queued", reason="order_unread", public_id__in=buyers)
    assert waiting.filter(not_before=mailing.AT + timedelta(seconds=2)).count() == 60

    # Read, and none of theirs after all: two seconds later they leave.
    InboundEvent.objects.update(state=InboundEvent.State.APPLIED)
    with SmtpSink() as again:
        mailing.into(again, settings)
        mailing.send(mailing.AT + timedelta(seconds=2))
    assert set(again.copies()) == buyers


def said(action: str, purpose_key: str | None, source_kind: str) -> Commit:
    def commit(waiting: Sequence[Delivery]) -> None:
        consent.record(
            [
                Said(bytes(one.address_hash), "email", purpose_key, action, AFTER, source_kind=source_kind)
                for one in waiting
            ],
            AFTER,
        )

    return commit


def stop_the_campaign(waiting: Sequence[Delivery]) -> None:
    Campaign.objects.update(state=Campaign.State.STOPPED)


def hold(waiting: Sequence[Delivery]) -> None:
    outbox.hold("A trial", "Ana", AFTER)


@pytest.mark.parametrize(
    ("commit", "state", "reasons"),
    [
        (said("withdrawn", "cart_recovery", "unsubscribe"), "suppressed", {"unsubscribed", "no_consent"}),
        (said("complained", None, "provider"), "suppressed", {"complained"}),
        (said("bounced", None, "provider"), "suppressed", {"hard_bounce"}),
        (said("erased", None, "staff"), "suppressed", {"erased"}),
        (stop_the_campaign, "suppressed", {"campaign_stopped"}),
        (hold, "queued", {"held"}),
    ],
    ids=["unsubscribe", "complaint", "bounce", "erasure", "campaign stop", "hold"],
)
def test_each_reason_stops_what_stands_before_the_fence(raced, commit, state, reasons):
    mailing.queue(50)
    sink = raced(commit)
    assert sink.accepted() == []
    assert Delivery.objects.filter(state=state).count() == 50
    told = Delivery.objects.exclude(reason="")
    assert set(told.values_list("reason", flat=True)) <= reasons and told.exists()
    assert not DeliveryAttempt.objects.exists()


def test_after_a_hold_everything_leaves(raced):
    mailing.queue(50)
    raced(hold)
    outbox.release("Ana", mailing.AT)
    assert len(raced(lambda waiting: None).copies()) == 50


def test_a_cart_that_changed_is_told_anew_and_one_that_came_back_waits(raced, settings):
    queued = mailing.queue(30, with_carts=True)
    changed, back = queued[:10], queued[10:20]
    later = mailing.AT - timedelta(minutes=9)
    done = set()

    def change(waiting: Sequence[Delivery]) -> None:
        for one in waiting:
            if one.id not in done:
                done.add(one.id)
                cart = Cart.objects.filter(id=one.subject_id)
                if one in changed:
                    cart.update(changed_at=later)
                elif one in back:
                    cart.update(changed_at=AFTER)
                else:
                    cart.update(state=Cart.State.EMPTIED, has_priced_line=False)

    sink = raced(change)
    assert set(sink.copies()) == {str(one.public_id) for one in changed}
    assert set(sink.copies().values()) == {1}
    assert Delivery.objects.filter(pk__in=[one.pk for one in changed], subject_version=later).count() == 10
    waits = Delivery.objects.filter(state="queued", reason="came_back", pk__in=[one.pk for one in back])
    due = AFTER + timedelta(minutes=8)
    assert waits.filter(not_before=due, due_at=due).count() == 10
    assert Delivery.objects.filter(state="skipped", reason="cart_emptied").count() == 10
    with SmtpSink() as again:
        mailing.into(again, settings)
        mailing.send(due)
    assert set(again.copies()) == {str(one.public_id) for one in back}
