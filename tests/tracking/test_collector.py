"""The public endpoints over a real socket: durable before answered, strict, and silent to everybody else."""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from crm.models import Contact
from tests.collecting import BROWSER, KEY, ORIGIN, SERVER_KEY, Collector, event, line, message
from tracking.mail import links, tokens
from tracking.models import Cart, CartLine, InboundEvent, Refusal


def refused(door: str, reason: str) -> int:
    """How often, once it is written down, which the collector does once a second."""
    end = time.monotonic() + 30
    while not (rows := list(Refusal.objects.filter(door=door, reason=reason))) and time.monotonic() < end:
        time.sleep(0.05)
    return sum(row.count for row in rows)


def test_an_accepted_message_is_committed_when_it_is_answered(collector: Collector) -> None:
    visitor = uuid.uuid4()
    told = message(visitor, event("page", title="Home"), event("cart", token="c1", lines=[line()]))

    assert collector.collect(told) == 204

    row = InboundEvent.objects.get()
    assert (row.source, row.state, row.visitor_id, row.origin) == ("collect", "new", visitor, ORIGIN)
    assert (row.has_order, row.user_agent, row.ip_truncated) == (False, BROWSER, "127.0.0.0")
    assert [one["t"] for one in row.body["e"]] == ["page", "cart"]
    assert row.body["e"][1]["p"]["lines"][0]["price"] == "19.90"


def test_requests_at_the_same_moment_are_all_written(collector: Collector) -> None:
    told = [message(uuid.uuid4(), event("page")) for _ in range(200)]

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(collector.collect, told)) == {204}

    assert InboundEvent.objects.count() == 200


def test_an_order_stands_alone_with_what_the_fence_looks_for(collector: Collector) -> None:
    visitor = uuid.uuid4()
    order = event("order", id="o1", total="10", cart_token="c9", email="ana@example.com")

    assert collector.collect(message(visitor, event("page"), order, event("page"))) == 204

    rows = list(InboundEvent.objects.order_by("id"))
    assert [row.has_order for row in rows] == [False, True, False]
    assert rows[1].cart_token == "c9"
    assert rows[1].address_hash is not None
    assert rows[1].visitor_id == visitor


def test_single_bad_events_are_refused_and_counted_and_the_rest_is_kept(collector: Collector) -> None:
    told = message(uuid.uuid4(), event("page"), event("nonsense"), {"id": "x", "t": "page", "at": 1})
    raw = json.dumps(told).encode()
    status, _, body = collector.request("POST", "/c", raw, {"Content-Type": "text/plain", "Origin": ORIGIN})

    assert status == 200
    assert json.loads(body) == {"stored": 1, "refused": {"event_kind": 1, "event_id": 1}}
    assert refused("event", "event_kind") == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"{", "not_json"),
        (b"[1]", "not_an_object"),
        (b"{}", "visitor"),
        (json.dumps(message(uuid.uuid4())).encode(), "no_events"),
    ],
)
def test_a_message_that_cannot_be_used_is_refused_with_its_reason(
    collector: Collector, body: bytes, reason: str
) -> None:
    status, _, answer = collector.request(
        "POST", "/c", body, {"Content-Type": "text/plain", "Origin": ORIGIN}
    )

    assert (status, answer.decode().strip()) == (400, reason)
    assert refused("collect", reason) == 1
    assert not InboundEvent.objects.exists()


def test_another_key_or_origin_or_content_type_is_refused(collector: Collector) -> None:
    good = message(uuid.uuid4(), event("page"))

    assert collector.collect(good | {"k": "pk_other"}) == 403
    assert collector.collect(good | {"k": KEY + "ö"}) == 403
    for origin in (
        "null",
        "https://shop.evil",
        f"{ORIGIN}.evil",
        "https://shop.localhost:8002",
        "http://shop.localhost",
    ):
        assert collector.collect(good, Origin=origin) == 403
    assert collector.collect(good, Content_Type="multipart/form-data") == 415
    assert collector.collect(good, Content_Encoding="gzip") == 415
    assert collector.collect(b" " * 70_000) == 413
    assert not InboundEvent.objects.exists()


def test_only_the_shop_reads_answers_and_no_cookie_is_set(collector: Collector) -> None:
    own = collector.request("OPTIONS", "/c", headers={"Origin": ORIGIN})
    foreign = collector.request("OPTIONS", "/c", headers={"Origin": "https://shop.evil"})

    assert own[0] == 204
    assert own[1]["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in own[1]
    assert foreign[0] == 403
    for _, headers, _ in (own, foreign, collector.get("/rekindle.js"), collector.get("/o/none")):
        assert "set-cookie" not in headers
    assert "access-control-allow-origin" not in foreign[1]


@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/api/v1/orders", "/c/x", "/restore/", "/k/", "/../etc/passwd", "/%00"]
)
def test_nothing_else_is_here(collector: Collector, path: str) -> None:
    assert collector.get(path)[0] in (400, 404, 405)


def test_the_public_key_opens_no_other_door(collector: Collector) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE"):
        assert collector.request(method, "/c", headers={"Authorization": f"Bearer {KEY}"})[0] == 405


def test_a_replay_of_the_shop_tells_its_own_time(collector: Collector) -> None:
    told = message(uuid.uuid4(), event("page", at=1511700000), sent=1511700001)

    assert collector.collect(told, X_Rekindle_Replay="sk_wrong") == 204
    assert collector.collect(told, X_Rekindle_Replay=SERVER_KEY) == 204

    wrong, right = InboundEvent.objects.order_by("id")
    assert wrong.received_at.year > 2020
    assert right.received_at.timestamp() == 1511700001
    assert right.body["replay"] is True


def test_a_click_leads_to_its_stored_target_and_is_noted_before(collector: Collector) -> None:
    contact, ref = uuid.uuid4(), uuid.uuid4()
    target = f"{ORIGIN}/cart?a=1#top"
    url = links.click_urls(ref, contact, [target])[target]

    status, headers, _ = collector.get("/k/" + url.rpartition("/")[2])

    assert status == 302
    place, _, rest = headers["location"].partition("&rk=")
    assert place == f"{ORIGIN}/cart?a=1"
    token = rest.removesuffix("#top")
    row = InboundEvent.objects.get()
    landed = tokens.read_landing(token, now=row.received_at)
    assert landed is not None
    assert (str(landed.click_id), landed.ref, landed.contact_id) == (row.body["id"], ref, contact)
    assert landed.clicked_at == row.received_at
    assert headers["referrer-policy"] == "no-referrer"
    assert tokens.read_landing(token, now=row.received_at + tokens.LANDING_WINDOW * 2) is None


def test_a_click_to_somewhere_else_carries_no_token(collector: Collector) -> None:
    url = links.click_urls(uuid.uuid4(), uuid.uuid4(), ["https://else.example/x"])["https://else.example/x"]

    assert collector.get("/k/" + url.rpartition("/")[2])[1]["location"] == "https://else.example/x"


def test_an_open_gets_its_picture(collector: Collector) -> None:
    token = links.open_url(uuid.uuid4(), uuid.uuid4()).rpartition("/")[2]

    status, headers, body = collector.get("/o/" + token)

    assert (status, headers["content-type"], body[:6]) == (200, "image/gif", b"GIF89a")
    assert InboundEvent.objects.get().source == "open"
    assert collector.get("/o/" + token[:-1])[0] == 404


def test_tokens_fit_their_own_door_alone(collector: Collector) -> None:
    ref, contact = uuid.uuid4(), uuid.uuid4()
    made = {
        "o": tokens.sign_open(ref, contact),
        "k": tokens.sign_click(1, ref, contact),
        "restore": tokens.sign_restore(uuid.uuid4(), contact, ref),
    }

    for token in made.values():
        for door in {"o", "k", "restore"} - {name for name, one in made.items() if one == token}:
            assert collector.get(f"/{door}/{token}")[0] == 404


def test_a_restore_link_gives_the_items_and_nothing_of_the_person(collector: Collector) -> None:
    contact = Contact.objects.create(first_name="Ana", email="ana@example.com")
    cart = Cart.objects.create(
        contact=contact, token="c1", currency="EUR", opened_at=contact.created_at,
        changed_at=contact.created_at, recorded_at=contact.created_at,
    )  # fmt: skip
    CartLine.objects.create(
        contact=contact, cart=cart, external_id="p1", name="Speaker", price="19.90", quantity=2
    )
    token = links.restore_url(cart, uuid.uuid4()).rpartition("token=")[2]

    status, headers, body = collector.get(f"/restore/{token}", Origin=ORIGIN)

    assert status == 200
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["cache-control"] == "no-store"
    found = json.loads(body)
    assert found["items"] == [
        {"product_id": "p1", "name": "Speaker", "url": "", "image": "", "quantity": 2.0, "price": "19.90"}
    ]
    assert b"Ana" not in body
    assert b"@" not in body
    Cart.objects.update(state="bought")
    assert collector.get(f"/restore/{token}")[0] == 410


def test_the_script_is_small_and_cached(collector: Collector) -> None:
    status, headers, body = collector.get("/rekindle.js")

    assert status == 200
    assert len(body) < 8192
    assert headers["content-type"].startswith("text/javascript")
    assert collector.get("/rekindle.js", If_None_Match=headers["etag"])[0] == 304
    assert b"cookie" not in body.lower().replace(b"sets no cookies", b"")
