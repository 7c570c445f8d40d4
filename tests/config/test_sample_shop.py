"""The sample storefront, driven over HTTP as a browser drives it, with a stand-in for the product's API."""

import hashlib
import hmac
import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import pytest

from config.embedded.sample.catalogue import BY_ID, CATEGORIES, PRODUCTS
from config.embedded.sample.frame import Links
from config.embedded.sample.pictures import picture
from config.embedded.sample.shop import Shop
from config.embedded.sample.web import Request, Response, Site, serve

VISITOR = "3f0c8a4e-7d5b-4f6e-9a51-1c2d3e4f5a6b"


class Product:
    """Answers restore links and takes orders as the product does; keeps what it was told."""

    def __init__(self) -> None:
        self.site = Site("default-src 'none'")
        self.site.route("GET", "/restore/{token}", self.restore)
        self.carts: dict[str, Any] = {}

    def restore(self, request: Request, token: str) -> Response:
        if token not in self.carts:
            return Response("{}", 404, "application/json")
        return Response(json.dumps(self.carts[token]), kind="application/json")


class Browser:
    """Keeps cookies, follows redirects, and reads what a page tells the product's script."""

    def __init__(self, port: int) -> None:
        self.port, self.cookies, self.status, self.text, self.path = port, {}, 0, "", ""
        self.headers: dict[str, str] = {}

    def get(self, path: str) -> "Browser":
        return self._send("GET", path)

    def post(self, path: str, **form: str) -> "Browser":
        return self._send("POST", path, urlencode(form))

    def _send(self, method: str, path: str, body: str = "", **headers: str) -> "Browser":
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Host": f"shop.localhost:{self.port}", "Cookie": cookie, **headers}
        if method == "POST":
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        self.status, self.text, self.path = answer.status, answer.read().decode(), path
        self.headers = dict(answer.getheaders())
        for value in answer.headers.get_all("Set-Cookie") or []:
            self.cookies.update({k: m.value for k, m in SimpleCookie(value).items()})
        connection.close()
        return self.get(answer.headers["Location"]) if self.status == 303 else self

    @property
    def data(self) -> dict[str, Any]:
        found = re.search(r'id="shop-data">(.*?)</script>', self.text, re.DOTALL)
        assert found
        return json.loads(found[1])

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def calls(self) -> list[list[Any]]:
        return self.data["calls"]

    def call(self, name: str) -> Any:
        return next((call[1] for call in self.calls if call[0] == name), None)


@pytest.fixture
def product() -> Iterator[tuple[Product, int]]:
    fake = Product()
    server = serve(fake.site, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield fake, server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def browser(product: tuple[Product, int], orders: list[dict[str, Any]]) -> Iterator[Browser]:
    collect = f"http://t.localhost:{product[1]}"
    shop = Shop(
        Links(
            "http://shop.localhost:8002",
            collect,
            "http://inbox.localhost:8003",
            "pk_1",
            "sk_1",
            collect,
        )
    )
    server = serve(shop.site, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield Browser(server.server_address[1])
    server.shutdown()
    server.server_close()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    taken: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "config.embedded.sample.product_api.ProductAPI.send_order", lambda self, order: taken.append(order)
    )
    return taken


def test_every_shelf_and_every_product_has_a_page_and_a_picture(browser: Browser) -> None:
    for category in CATEGORIES:
        assert browser.get(f"/c/{category.key}").status == 200
    for each in PRODUCTS:
        assert browser.get(each.path).status == 200
        assert each.name in unescape(browser.text)
        assert browser.get(each.picture).headers["Content-Type"] == "image/svg+xml"
        assert picture(each.id)
    assert browser.get("/p/none").status == 404
    assert browser.get("/pictures/none.svg").status == 404


def test_a_page_carries_the_products_own_script_and_nothing_from_elsewhere(browser: Browser) -> None:
    browser.get("/p/marlow-t1")
    assert re.search(
        r'<script async src="http://t\.localhost:\d+/rekindle\.js" data-key="pk_1"', browser.text
    )
    assert "sk_1" not in browser.text
    assert "unsafe" not in browser.headers["Content-Security-Policy"]
    assert browser.call("product")["price"] == "249.00"
    assert [call[0] for call in browser.calls] == ["page", "product"]


def test_nothing_is_remembered_before_the_choice(browser: Browser) -> None:
    browser.get("/")
    assert browser.call("consent") is None
    assert 'data-consent="pending"' in browser.text
    assert browser.post("/choices", tracking="no", back="/").call("consent") == {"tracking": False}
    assert "Only what is necessary" not in browser.text
    assert browser.post("/choices", tracking="yes", back="/c/care").call("consent") == {"tracking": True}
    assert "data-consent" not in browser.text
    assert browser.path == "/c/care"


def test_a_cart_filled_before_the_choice_is_told_after_it(browser: Browser) -> None:
    browser.post("/cart/add", product="marlow-t1", quantity="1")
    browser.get("/")
    browser.post("/choices", tracking="yes", back="/")
    assert browser.call("cart")["lines"][0]["product_id"] == "marlow-t1"


def test_the_address_is_signed_for_the_visitor_with_the_consent_as_it_was_worded(browser: Browser) -> None:
    browser.post(
        "/account",
        email="Ana@example.com",
        first_name="Ana",
        cart_recovery="yes",
        tracking="yes",
        back="/cart",
    )
    assert browser.call("consent") == {"tracking": True}
    assert browser.data["identify"]
    said = browser.post("/identity", visitor=VISITOR).json
    message = f"{VISITOR}|Ana@example.com|{said['timestamp']}".encode()
    assert said["signature"] == hmac.new(b"sk_1", message, hashlib.sha256).hexdigest()
    tracking = ["web_profile", "open_tracking", "click_tracking"]
    assert [consent["purpose"] for consent in said["consents"]] == ["cart_recovery", *tracking]
    shown = Browser(browser.port).get("/")
    assert said["consents"][0]["wording"] in unescape(shown.text)
    sign_in = browser.get("/").data["identify"]
    assert sign_in and browser.post("/identity/told", sign_in="0").get("/").data["identify"] == sign_in
    browser.post("/identity/told", sign_in=str(sign_in))
    assert not browser.get("/").data["identify"]
    assert "Ana@example.com" in browser.text and "A reminder comes" in browser.text


def test_nobody_is_signed_who_gave_no_address_or_allowed_nothing(browser: Browser) -> None:
    assert browser.post("/identity", visitor=VISITOR).status == 204
    browser.post("/account", email="boris@example.com", cart_recovery="yes")
    assert browser.post("/identity", visitor=VISITOR).status == 204
    browser.post("/choices", tracking="yes")
    assert browser.data["identify"]
    assert browser.post("/identity", visitor="x").status == 204
    assert browser.post("/identity", visitor=VISITOR).json["email"] == "boris@example.com"
    assert not browser.post("/forget").data["identify"]
    assert [call[0] for call in browser.calls] == ["consent", "page", "reset"]
    assert browser.post("/identity", visitor=VISITOR).status == 204


def test_no_tick_gives_no_consent_and_the_shop_says_what_is_missing(browser: Browser) -> None:
    browser.post("/account", email="boris@example.com", tracking="yes")
    assert "No reminder comes as things stand" in browser.text
    told = browser.post("/identity", visitor=VISITOR).json["consents"]
    assert "cart_recovery" not in {consent["purpose"] for consent in told}
    browser.post("/identity/told", sign_in=str(browser.get("/").data["identify"]))
    browser.get("/").post("/account", email="boris@example.com", cart_recovery="yes")
    assert "A reminder comes" in browser.text
    assert browser.post("/identity", visitor=VISITOR).json["consents"][0]["purpose"] == "cart_recovery"


def test_the_whole_cart_is_told_after_each_change_and_only_then(browser: Browser) -> None:
    browser.post("/cart/add", product="marlow-t1", quantity="1")
    first = browser.call("cart")
    browser.post("/cart/add", product="lark-fluid", quantity="2")
    second = browser.call("cart")
    assert first["token"] == second["token"]
    assert [(line["product_id"], line["quantity"]) for line in second["lines"]] == [
        ("marlow-t1", 1),
        ("lark-fluid", 2),
    ]
    assert second["lines"][1]["price"] == "16.90"
    assert second["lines"][1]["image"] == "http://shop.localhost:8002/pictures/lark-fluid.svg"
    assert browser.get("/cart").call("cart") is None
    assert (
        browser.post("/cart/set", product="marlow-t1", quantity="0").call("cart")["lines"][0]["quantity"] == 2
    )
    browser.post("/cart/set", product="lark-fluid", quantity="0")
    assert browser.call("cart")["lines"] == []
    browser.post("/cart/add", product="nothing", quantity="1")
    assert browser.call("cart")["lines"] == []


def test_a_purchase_goes_to_the_product_from_the_server_and_to_the_script_without_a_name(
    browser: Browser, orders: list[dict[str, Any]]
) -> None:
    browser.post("/cart/add", product="marlow-t1", quantity="1")
    token = browser.call("cart")["token"]
    browser.post(
        "/checkout",
        email="ana@example.com",
        first_name="Ana",
        last_name="Ruiz",
        phone="+34600000000",
        visitor=VISITOR,
        coupon="welcome10",
    )
    assert browser.path == "/thanks"
    told = browser.call("order")
    assert "customer" not in told
    _until(lambda: len(orders) == 1)
    order = orders[0]
    assert order["id"] == told["id"]
    assert (order["total"], order["discount"], order["shipping"]) == ("224.10", "24.90", "0.00")
    assert (order["coupon"], order["cart_token"], order["visitor_id"]) == ("WELCOME10", token, VISITOR)
    assert order["customer"]["email"] == "ana@example.com"
    assert order["lines"][0]["unit_price"] == "249.00"
    assert browser.get("/cart").status == 200
    assert "Your cart is empty" in browser.text
    browser.post("/cart/add", product="lark-fluid", quantity="1")
    assert browser.call("cart")["token"] != token


def test_a_restore_link_shows_the_cart_and_only_the_button_brings_it_back(
    browser: Browser, product: tuple[Product, int]
) -> None:
    product[0].carts["r1"] = {
        "cart_token": "left-cart",
        "items": [{"product_id": "marlow-t3", "quantity": 2.0}, {"product_id": "sold-out", "quantity": 3.0}],
    }
    browser.get("/cart/restore?token=r1&rk_click=c1")
    assert "Marlow T3" in browser.text
    assert browser.call("cart") is None
    assert "Your cart is empty" in Browser(browser.port).get("/cart").text
    assert "Your cart is empty" in browser.get("/cart").text
    browser.post("/cart/add", product="lark-fluid", quantity="1")
    browser.post("/cart/restore", token="r1", rk_click="c1")
    assert browser.path == "/cart?rk_click=c1"
    assert browser.call("restore") == {"token": "r1", "cart_token": "left-cart"}
    said = browser.call("cart")
    assert said["token"] == "left-cart"
    assert {line["product_id"] for line in said["lines"]} == {"marlow-t3", "lark-fluid"}
    browser.post("/cart/restore", token="r1")
    assert [line["quantity"] for line in browser.call("cart")["lines"]] == [2, 1]


@pytest.mark.parametrize("token", ["", "unknown", "../../x", "a b"])
def test_a_restore_link_that_leads_nowhere_says_so(browser: Browser, token: str) -> None:
    assert browser.get("/cart/restore?" + urlencode({"token": token})).status == 200
    assert "This cart has gone" in browser.text
    assert browser.post("/cart/restore", token=token).call("cart") is None


def test_markup_in_what_a_visitor_types_stays_text(browser: Browser) -> None:
    nasty = "</script><script>alert(1)</script>"
    browser.post("/account", email="x@example.com", first_name=nasty, tracking="yes", back="/cart")
    assert nasty not in browser.text
    assert browser.post("/identity", visitor=VISITOR).json["first_name"] == nasty


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "/\r\nX: y", "/é"]
)
def test_a_form_returns_to_this_shop_only(browser: Browser, back: str) -> None:
    browser.post("/forget", back=back)
    assert browser.path == "/"


def test_another_sites_form_and_another_host_name_are_refused(browser: Browser) -> None:
    body = urlencode({"product": "marlow-t1"})
    assert browser._send("POST", "/cart/add", body, Origin="http://evil.example").status == 403
    assert browser._send("GET", "/", Host="evil.example").status == 421
    assert browser._send("POST", "/cart/add", "x" * 70_000).status == 413


@pytest.mark.parametrize(
    "path", ["/cart?q=%", "/%00", "/p/" + "x" * 3000, "/cart/restore?token=" + "%f0" * 50]
)
def test_odd_addresses_are_answered(browser: Browser, path: str) -> None:
    assert browser.get(path).status in {200, 404}


def test_prices_hold_together() -> None:
    for each in PRODUCTS:
        assert each.list_price is None or each.list_price > each.price
        assert each.category in {category.key for category in CATEGORIES}
    assert len(BY_ID) == len(PRODUCTS) == 26
    assert sum(1 for each in PRODUCTS if each.supply_days) == 4


def _until(done: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
