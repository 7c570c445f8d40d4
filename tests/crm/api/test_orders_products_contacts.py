"""What a shop's server tells, it tells once, and hears what was wrong with it."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from crm.kernel import clock, tokens
from crm.models import Contact, Order, Product, ServerKey, ShopSettings
from crm.people.consent import may_send, verify_chain
from crm.shop import keys

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
ORDER = {
    "id": 1001,
    "currency": "eur",
    "total": "59.90",
    "placed_at": "2026-03-02T09:30:00+01:00",
    "coupon": None,
    "cart_token": "t1",
    "visitor_id": "",
    "customer": {"email": "Ana@example.com", "first_name": "Ana", "phone": "", "id": 7},
    "lines": [
        {
            "product_id": 5,
            "name": "Headphones",
            "quantity": 1,
            "unit_price": 59.9,
            "url": "https://s.example/5",
        }
    ],
    "anything_else": {"is": ["left", "aside"]},
}


@pytest.fixture
def post(client, db):
    key = keys.issue("Shop", NOW)

    def send(path, body, *, bearer=key, content_type="application/json"):
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        with clock.frozen(NOW):
            return client.post(
                f"/api/v1/{path}",
                data,
                content_type=content_type,
                headers={"Authorization": f"Bearer {bearer}"},
            )

    return send


def test_an_order_is_recorded_at_once_and_again_changes_nothing(post):
    first = post("orders", ORDER)
    assert first.status_code == 200, first.content
    again = post("orders", {"orders": [ORDER, ORDER]})
    ours = str(Order.objects.get().pk)
    assert first.json() == {"recorded": [{"id": "1001", "ours": ours}]}
    assert again.json()["recorded"] == [{"id": "1001", "ours": ours}] * 2
    order = Order.objects.get()
    assert (order.total, order.currency, order.cart_token) == (Decimal("59.90"), "EUR", "t1")
    assert order.occurred_at == datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
    assert (order.contact.email, order.contact.first_name) == ("ana@example.com", "Ana")
    assert Product.objects.get().url == "https://s.example/5"


def test_a_list_is_recorded_whole_or_not_at_all(post):
    answer = post("orders", {"orders": [ORDER, ORDER | {"id": "2", "total": "a lot"}]})
    assert answer.status_code == 422
    assert answer.json()["refused"][0]["field"] == "orders.1.total"
    assert not Order.objects.exists()


def test_products_keep_what_is_not_said(post):
    assert post("products", {"id": "p1", "name": "Lamp", "price": 10, "consumable": True}).status_code == 200
    assert (
        post(
            "products", {"products": [{"id": "p1", "price": "12.5", "updated_at": 1772445600000}]}
        ).status_code
        == 200
    )
    product = Product.objects.get()
    assert (product.name, product.consumable) == ("Lamp", True)


def test_a_contact_brings_what_they_agreed_to(post):
    grant = {
        "purpose": "newsletter",
        "action": "granted",
        "wording": "Yes, write to me.",
        "at": "2026-03-01T10:00:00Z",
    }
    person = {"email": "ana@example.com", "country": "de", "consents": [grant]}
    assert post("contacts", person).status_code == post("contacts", person).status_code == 200
    ana = tokens.address_hash("email", "ana@example.com")[0]
    assert may_send(ana, "email", "newsletter") == (True, "")
    assert verify_chain(ana) == []
    assert Contact.objects.get().country == "DE"
    assert (
        post("contacts", {"email": "b@example.com", "consents": [grant | {"wording": ""}]}).status_code == 422
    )
    assert (
        post("contacts", {"email": "b@example.com", "consents": [grant | {"purpose": "no"}]}).status_code
        == 422
    )
    assert post("contacts", {"id": "7", "consents": [grant]}).status_code == 422
    assert post("contacts", {"first_name": "Nobody"}).status_code == 422
    assert Contact.objects.count() == 1


def test_only_a_server_key_opens_it(post, client):
    shop = ShopSettings.objects.get()
    assert shop.ingest_key
    for bearer in (shop.ingest_key, "", "sk_wrong", "\ud800".encode("utf-8", "replace").decode()):
        assert post("orders", ORDER, bearer=bearer).status_code == 401
    key = keys.issue("Another", NOW)
    assert post("orders", ORDER, bearer=key).status_code == 200
    ServerKey.objects.filter(name="Another").update(revoked_at=NOW)
    assert post("orders", ORDER, bearer=key).status_code == 401
    assert client.post("/api/v1/orders", ORDER, content_type="application/json").status_code == 401
    assert client.get("/api/v1/orders").status_code == 405
    assert client.get("/api/v1/docs").status_code == 404
    assert key not in json.dumps(list(ServerKey.objects.values("name", "prefix")), default=str)


def test_what_cannot_be_read_is_refused_with_a_reason(post):
    def reason(body, **kept):
        answer = post("orders", body, **kept)
        return answer.status_code, answer.json()["refused"][0]["reason"]

    assert reason("{") == (400, "not_json")
    assert reason('{"id": NaN}') == (400, "number")
    assert reason("[" * 100_000) == (400, "too_deep")
    assert reason(b"\xff\xfe") == (400, "encoding")
    assert reason("x" * (1024 * 1024 + 1)) == (413, "too_large")
    assert reason("x" * (4 * 1024 * 1024)) == (413, "too_large")
    assert post("orders", "").status_code == 422
    assert post("orders", "[1]").status_code == post("orders", "null").status_code == 422


def test_a_description_for_machines_is_served(client, db):
    described = client.get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {"/api/v1/orders", "/api/v1/products", "/api/v1/contacts"}
