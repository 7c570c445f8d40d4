"""I1 for the pages and the server API: a thousand malformed requests to each, and not one 5xx.

A failure names its seed and number; the same request is made again by `malformed.requests`.
"""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import F

from crm.kernel import clock
from crm.models import ConsentEvent, Order
from crm.people import consent
from crm.shop import keys
from tests.attacks import malformed
from tests.attacks.malformed import Endpoint
from tests.collecting import Collector
from tests.webbing import Message

pytestmark = pytest.mark.proof

SEED = 2
NUMBER = 1_000
PEOPLE = {
    "email": "boris@example.com",
    "phone": "+31612345678",
    "first_name": "Boris",
    "country": "NL",
    "id": "c7",
}


def good(now: str) -> dict[str, dict]:
    line = {
        "product_id": "p1",
        "sku": "S",
        "name": "Lamp",
        "quantity": 2,
        "unit_price": "9.95",
        "url": "https://a.example/",
    }
    return {
        "orders": {
            "id": "1001",
            "placed_at": now,
            "updated_at": now,
            "total": "19.90",
            "currency": "EUR",
            "status": "paid",
            "number": "#1001",
            "tax": 3.45,
            "coupon": "WINTER",
            "cart_token": "t1",
            "visitor_id": "6c1b2f6e-2b57-4d3f-8f57-52b9bb9f6f10",
            "customer": PEOPLE,
            "lines": [line, line],
        },
        "products": {
            "id": "p1",
            "name": "Lamp",
            "price": 9.95,
            "stock": 3,
            "consumable": True,
            "updated_at": now,
        },
        "contacts": PEOPLE
        | {
            "consents": [
                {
                    "purpose": "newsletter",
                    "action": "granted",
                    "wording": "Yes.",
                    "at": now,
                    "ip": "203.0.113.7",
                }
            ]
        },
    }


@pytest.mark.parametrize("name", ["orders", "products", "contacts", "u", "p", "why"])
def test_nothing_malformed_is_answered_with_an_error_of_ours(web: Collector, name: str) -> None:
    mail = Message("ana@example.com")
    now = clock.now() - timedelta(days=1)
    if name in mail.paths:
        token = mail.paths[name].rpartition("/")[2]
        door = Endpoint(name, "GET" if name == "why" else "POST", f"/{name}/{{token}}", token=token)
    else:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {keys.issue('Shop', now)}"}
        door = Endpoint(name, "POST", f"/api/v1/{name}", good(now.isoformat())[name], headers=sent)

    answers: Counter[int] = Counter()
    for number, request in enumerate(malformed.requests(door, SEED, NUMBER)):
        status, _, body = malformed.send(web.port, request)
        assert status < 500, (SEED, number, request.what, request.wire()[:700], body[:300])
        answers[status] += 1
    assert web.process.poll() is None

    assert malformed.send(web.port, malformed._sound(door))[0] == 200
    for order in Order.objects.all():
        order.full_clean(exclude=["address_hash"])
    for address in set(map(bytes, ConsentEvent.objects.values_list("address_hash", flat=True))):
        assert consent.verify_chain(address) == []
    assert consent.rebuild_states(repair=False) == 0
    assert not ConsentEvent.objects.filter(occurred_at__gt=F("recorded_at")).exists()
    print(f"{name}: {dict(sorted(answers.items()))}")
