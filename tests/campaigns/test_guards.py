"""Each reason not to send, alone: it blocks what it should, nothing else, and says so."""

from datetime import timedelta

import pytest
from django.db import connection

from campaigns.delivery.claiming import claim
from campaigns.delivery.fencing import fence, refusals
from campaigns.delivery.guards import guards, in_order
from campaigns.delivery.questions import _NOW, all_guards
from campaigns.models import Campaign, Decision, Delivery, SendingControl
from crm.models import Engagement, Order, Suppression
from tests.campaigns import mailing
from tracking.models import Cart, InboundEvent

pytestmark = pytest.mark.django_db

NOW = mailing.AT


@pytest.fixture(autouse=True)
def sink_is_safe(settings):
    settings.REKINDLE_SAFE_SINK = True


def answer(now=NOW, **changes) -> tuple[bool, list[tuple[str, str]]]:
    """What the fence says of the one claimed message, and what *why* says."""
    if changes:
        Delivery.objects.update(**changes)
    claimed = list(Delivery.objects.all())
    why = [(one.guard.verdict.value, one.reason) for one in refusals(claimed, now)]
    return bool(fence(claimed, now)), why


@pytest.fixture
def claimed() -> Delivery:
    mailing.queue(1, with_carts=True)
    (one,) = claim("email", NOW, 10)
    return one


def test_nothing_blocks_a_good_message(claimed):
    assert answer() == (True, [])


def test_the_guards_are_asked_in_this_order():
    assert [guard.reason for guard in in_order()] == [
        "held",
        "campaign_stopped",
        "campaign_paused",
        "late",
        "no_consent",
        "said_no",
        "taken_out",
        "marketing_paused",
        "purchased",
        "order_unread",
        "cart_emptied",
        "sold_out",
        "price_rose",
        "order_undone",
        "cart_open",
        "quiet_hours",
        "frequency",
        "frequency",
        "came_back",
        "cart_changed",
        "product_changed",
        "offer_changed",
        "offer_day",
        "joined_is_over",
    ]
    assert len({guard.place for guard in guards}) == len(guards)


def test_a_hold_of_all_and_of_one(claimed):
    SendingControl.objects.create(sending_hold=True)
    assert answer() == (False, [("hold", "held")])
    SendingControl.objects.update(sending_hold=False)
    assert answer(is_held=True) == (False, [("hold", "held")])


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("running", []),
        ("paused", [("requeue", "campaign_paused")]),
        ("draft", [("requeue", "campaign_paused")]),
        ("stopped", [("suppressed", "campaign_stopped")]),
    ],
)
def test_the_campaign_has_to_run(claimed, state, says):
    Campaign.objects.update(state=state)
    assert answer() == (not says, says)


def test_a_late_message_is_skipped_even_while_its_campaign_is_paused(claimed):
    assert answer(not_after=NOW) == (False, [("skipped", "late")])
    Campaign.objects.update(state="paused")
    assert answer() == (False, [("skipped", "late")])
    assert answer(not_after=NOW + timedelta(seconds=1)) == (False, [("requeue", "campaign_paused")])


@pytest.mark.parametrize(
    ("address", "blocked"),
    [
        ("ana@example.com", True),
        ("ana@mail.example.org", True),
        ("ana@shop.test", True),
        ("ana@nowhere.invalid", True),
        ("root@localhost", True),
        ("ana@myexample.com", False),
        ("ana@example.com.br", False),
        ("ana@gmail.com", False),
    ],
)
def test_invented_addresses_get_mail_in_a_sink_only(claimed, settings, address, blocked):
    settings.REKINDLE_SAFE_SINK = False
    says = [("skipped", "reserved_address")] if blocked else []
    Delivery.objects.update(address_hash=b"somebody", test_address=address, origin="test")
    assert answer() == (not blocked, says)
    settings.REKINDLE_SAFE_SINK = True


def test_without_consent_or_suppressed_nothing_leaves_and_the_reason_is_named(claimed):
    Suppression.objects.create(
        address_hash=claimed.address_hash, channel="email", reason=Suppression.Reason.COMPLAINED, since=NOW
    )
    assert answer() == (False, [("suppressed", "complained")])
    Suppression.objects.all().delete()
    assert answer(address_hash=b"somebody else") == (False, [("suppressed", "no_consent")])


def order(delivery: Delivery, **changes) -> Order:
    usual = {
        "contact_id": delivery.contact_id,
        "source": "api",
        "external_id": "1",
        "currency": "EUR",
        "total": 40,
        "occurred_at": NOW,
    }
    return Order.objects.create(**(usual | changes))


def test_an_order_since_ends_it_unless_cancelled_or_older(claimed):
    bought = order(claimed)
    assert answer() == (False, [("suppressed", "purchased")])
    Order.objects.filter(pk=bought.pk).update(occurred_at=claimed.since - timedelta(seconds=1))
    assert answer() == (True, [])


def test_a_cancelled_order_ends_nothing(claimed):
    order(claimed, status=Order.Status.CANCELLED)
    assert answer() == (True, [])


def test_blank_tokens_match_no_order(claimed):
    (other,) = mailing.people(1, claimed.purpose, first=100)
    order(claimed, contact_id=other.id)
    InboundEvent.objects.create(source="collect", body={}, has_order=True)
    assert answer(cart_token="", checkout_id="") == (True, [])


def test_a_bought_cart_ends_it_without_an_order(claimed):
    Cart.objects.update(state=Cart.State.BOUGHT)
    assert answer() == (False, [("suppressed", "purchased")])


@pytest.mark.parametrize(
    "changes", [{"state": "emptied"}, {"state": "expired"}, {"has_priced_line": False}, {"contact": None}]
)
def test_an_empty_cart_is_not_written_of(claimed, changes):
    if "contact" in changes:
        Cart.objects.all().delete()
    else:
        Cart.objects.update(**changes)
    assert answer() == (False, [("skipped", "cart_emptied")])


def test_who_came_back_is_left_alone_until_they_left_again(claimed):
    seen = NOW - timedelta(minutes=3)
    Engagement.objects.filter(contact_id=claimed.contact_id).update(last_seen_at=seen)
    claimed_now = [claimed]
    (why,) = refusals(claimed_now, NOW)
    assert (why.reason, why.again_at) == ("came_back", seen + timedelta(minutes=8))
    assert answer(NOW + timedelta(minutes=5)) == (True, [])


def test_a_cart_changed_after_the_text_was_made_is_told_anew(claimed):
    Delivery.objects.update(subject_version=mailing.LEFT)
    assert answer() == (True, [])


def test_another_version_of_the_cart_goes_back(claimed):
    assert answer(subject_version=mailing.LEFT - timedelta(seconds=1)) == (
        False,
        [("requeue", "cart_changed")],
    )


def test_a_test_message_asks_neither_campaign_nor_consent_nor_cart(claimed):
    Campaign.objects.update(state="draft")
    order(claimed)
    Cart.objects.all().delete()
    changes = {"origin": "test", "address_hash": b"somebody", "not_after": NOW}
    assert answer(**changes) == (True, [])


def test_a_lost_lease_is_not_fenced_and_has_no_reason(claimed, settings):
    Delivery.objects.update(lease_token=claimed.lease_token + 1)
    assert fence([claimed], NOW) == set() and refusals([claimed], NOW) == []
    Delivery.objects.update(lease_token=claimed.lease_token, lease_until=NOW - timedelta(days=1))
    assert fence([claimed], NOW) == set()


def test_leave_is_committed_to_disk_whatever_the_servers_default(claimed):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        assert answer()[0]
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


def test_no_instant_is_frozen_into_a_guard():
    for one in all_guards():
        assert "1970" not in one.blocks + one.again_at
    with pytest.raises(TypeError, match="no arithmetic"):
        _NOW + timedelta(seconds=1)


def test_every_guard_speaks_like_a_person():
    for guard in guards:
        assert guard.words and guard.label and guard.__doc__
        assert len(guard.say(guard.reason)) <= Decision._meta.get_field("words").max_length
