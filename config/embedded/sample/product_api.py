"""How the sample shop's server talks to the product: the public calls any shop's developer would write."""

import hashlib
import hmac
import http.client
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

TIMEOUT = 5
TRIES = (0.0, 1.0, 3.0, 9.0)
LARGEST_ANSWER = 256 * 1024


class Unanswered(Exception):
    """The product did not answer, or not with success."""


def signature(secret: str, visitor_id: str, email: str, timestamp: int) -> str:
    """The shop's word that this browser gave this address: HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), f"{visitor_id}|{email}|{timestamp}".encode(), hashlib.sha256).hexdigest()


def call(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """One HTTP exchange. Names under `.localhost` are this machine, whatever the resolver says (RFC 6761)."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    target = "127.0.0.1" if name == "localhost" or name.endswith(".localhost") else name
    maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = maker(target, parts.port, timeout=TIMEOUT)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body or None, {"Host": parts.netloc, **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read(LARGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(str(error)) from error
    finally:
        connection.close()


class ProductAPI:
    def __init__(self, collect_url: str, web_url: str, server_key: str) -> None:
        self.collect_url = collect_url.rstrip("/")
        self.web_url = web_url.rstrip("/")
        self.server_key = server_key

    def restore(self, token: str) -> dict[str, Any] | None:
        """The items a restore link stands for; None when the product does not know the token."""
        try:
            status, body = call("GET", f"{self.collect_url}/restore/{quote(token, safe='')}")
            found = json.loads(body) if status == 200 else None
        except (Unanswered, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def send_order(self, order: Mapping[str, Any]) -> None:
        """Post one order; the product knows orders by their id, so that a second try never doubles one."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.server_key}"}
        status, body = call(
            "POST", f"{self.web_url}/api/v1/orders", body=json.dumps(order).encode(), headers=headers
        )
        if not 200 <= status < 300:
            raise Unanswered(f"status {status}: {body[:200]!r}")

    def send_order_soon(self, order: Mapping[str, Any]) -> threading.Thread:
        """The same beside the request, with a few tries, so that the buyer never waits for the product."""

        def work() -> None:
            pause = threading.Event()
            for wait in TRIES:
                pause.wait(wait)
                try:
                    return self.send_order(order)
                except Unanswered as error:
                    last = error
            print(f"sample shop: order {order.get('id')} was not taken: {last}", flush=True)
            return None

        thread = threading.Thread(target=work, name=f"order-{order.get('id')}", daemon=True)
        thread.start()
        return thread
