"""How the sample shop's server calls the product: real sockets, an endpoint that fails as networks do."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from config.embedded.sample import product_api
from config.embedded.sample.product_api import ProductAPI, Unanswered, call


@pytest.fixture
def endpoint() -> Iterator[Any]:
    """Takes orders; `statuses` are given out in turn, then 202."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.seen.append(
                (self.path, self.headers["Host"], self.headers["Authorization"], json.loads(body))
            )
            self.send_response(server.statuses.pop(0) if server.statuses else 202)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.statuses = [], []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_order_is_posted_with_the_servers_key_to_a_name_of_this_machine(endpoint: Any) -> None:
    port = endpoint.server_address[1]
    ProductAPI("http://t.localhost", f"http://admin.localhost:{port}/", "sk_1").send_order({"id": "1"})
    assert endpoint.seen == [("/api/v1/orders", f"admin.localhost:{port}", "Bearer sk_1", {"id": "1"})]


def test_an_order_that_was_not_taken_is_tried_again(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_api, "TRIES", (0.0, 0.01, 0.01))
    endpoint.statuses = [503, 500]
    api = ProductAPI("http://t.localhost", f"http://127.0.0.1:{endpoint.server_address[1]}", "sk_1")
    api.send_order_soon({"id": "7"}).join(30)
    assert [body["id"] for *_, body in endpoint.seen] == ["7", "7", "7"]


def test_a_product_that_is_down_is_said_and_no_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(product_api, "TRIES", (0.0, 0.01))
    api = ProductAPI("http://127.0.0.1:9", "http://127.0.0.1:9", "sk_1")
    api.send_order_soon({"id": "8"}).join(30)
    assert "order 8 was not taken" in capsys.readouterr().out
    assert api.restore("x") is None
    with pytest.raises(Unanswered):
        call("GET", "http://127.0.0.1:9/")
