"""What a shop's server tells of carts and events: believed, kept raw, applied by the same ingest."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from crm.kernel import clock
from crm.models import Contact, Order
from crm.shop import keys
from tracking.models import Cart, DailyCount, Event, InboundEvent, Visit
from tracking.shop import carts
from tracking.visits import ingest

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CART = {
    "token": "c1",
    "updated_at": "2026-11-20T11:50:00Z",
    "currency": "EUR",
    "customer": {"email": "Ana@Example.com"},
    "lines": [{"product_id": "lamp", "name": "Lamp", "price": "25", "quantity": 2}],
}
Tell = Callable[..., tuple[int, Any]]


@pytest.fixture
def tell(client: Client) -> Tell:
    key = keys.issue("shop", NOW)

    def post(path: str, body: Any, bearer: str = key) -> tuple[int, Any]:
        with clock.frozen(NOW):
            headers = {"Authorization": f"Bearer {bearer}"}
            answer = client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)
            while ingest.apply(NOW):
                pass
        assert not InboundEvent.objects.filter(state="parked").exists()
        return answer.status_code, answer.json()

    return post


def test_a_cart_told_by_the_server_is_the_persons(tell: Tell) -> None:
    assert tell("carts", CART) == (202, {"taken": 1})
    assert tell("carts", {"carts": [CART, CART]}) == (202, {"taken": 2})

    cart = Cart.objects.get()
    assert (cart.contact.email, cart.total, cart.changed_at) == (
        "ana@example.com",
        50,
        NOW - timedelta(minutes=10),
    )
    assert Event.objects.filter(kind="cart").count() == 1

    tell("carts", CART | {"updated_at": "2026-11-20T11:55:00Z", "lines": []})
    assert Cart.objects.get().state == "emptied"


def test_events_of_an_app_or_a_till_count(tell: Tell) -> None:
    event = {"id": "e1", "kind": "product", "at": "2026-11-20T11:50:00Z", "details": {"product_id": "lamp"}}

    assert tell("events", event | {"customer": {"id": "7"}}) == (202, {"taken": 1})
    assert tell("events", event | {"customer": {"id": "7"}})[0] == 202

    assert Event.objects.get().contact == Contact.objects.get()


def test_without_the_key_or_with_nonsense_nothing_is_taken(tell: Tell) -> None:
    assert tell("carts", CART, bearer="pk_public")[0] == 401
    assert tell("carts", CART | {"lines": [{"price": "1"}]})[0] == 422
    assert tell("events", {"id": "1", "kind": "order", "at": "2026-11-20T11:50:00Z"})[0] == 422
    assert tell("events", {"id": "1", "kind": "product", "at": "2026-11-20T11:50:00Z"})[0] == 422
    assert not InboundEvent.objects.exists()


def test_an_order_recorded_by_anybody_ends_the_cart_within_seconds(tell: Tell) -> None:
    tell("carts", CART)
    contact = Contact.objects.get()
    Order.objects.create(
        contact=contact, source="api", external_id="1", currency="EUR", total=1, occurred_at=NOW
    )

    assert carts.close_lately(NOW + timedelta(seconds=15)) == 1
    assert Cart.objects.get().state == "bought"

    tell("carts", CART | {"token": "c2", "updated_at": "2026-11-20T11:59:00Z"})
    Cart.objects.update(state="open")
    assert carts.close_lately(NOW + timedelta(hours=2)) == 0
    assert carts.close_all(NOW + timedelta(hours=2)) == 2


def test_going_to_the_checkout_tells_the_cart_its_number(tell: Tell) -> None:
    tell("carts", CART)
    details = {"token": "c1", "checkout_id": "k1"}
    tell(
        "events",
        {"id": "e2", "kind": "checkout", "at": "2026-11-20T11:52:00Z", "details": details}
        | {"customer": CART["customer"]},
    )

    cart = Cart.objects.get()
    assert (cart.checkout_id, cart.changed_at, cart.item_count) == ("k1", NOW - timedelta(minutes=10), 1)


def test_an_event_of_the_shops_own_keeps_its_name_and_a_few_plain_properties(tell: Tell) -> None:
    own = {
        "score": 7,
        "ok": True,
        "note": "x" * 300,
        "list": [1],
        "bad name": 1,
        "event": "other",
        "brand": "B",
    }
    event = {"id": "e1", "kind": "custom", "at": "2026-11-20T11:50:00Z", "customer": {"id": "7"}}

    assert tell("events", event | {"details": {"name": "Quiz_Done", "props": own}}) == (202, {"taken": 1})
    kept = {"event": "quiz_done", "score": 7, "ok": True, "note": "x" * 200, "brand": "B"}
    assert Event.objects.get().props == kept
    assert DailyCount.objects.values_list("kind", "brand").get() == ("custom:quiz_done", "b")
    # Told by a server without a browser: something happened, nobody visited.
    assert not Visit.objects.exists()

    for details in ({}, {"name": "two words"}, {"name": "x" * 41}, {"name": "quiz", "props": [1]}):
        assert tell("events", event | {"id": "e2", "details": details})[0] == 422
    many = {"name": "many", "props": {f"p{number}": number for number in range(50)}}
    assert tell("events", event | {"id": "e3", "details": many})[0] == 202
    assert len(Event.objects.get(props__event="many").props) == 21
