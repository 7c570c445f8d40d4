"""The public doors as the world outside finds them: a browser with the shop's script, the shop's server, a
mailbox.
"""

import hashlib
import hmac
import json
import re
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit
from uuid import uuid4

from config.simulate.servers import LOCALHOST
from crm.kernel import clock, tokens
from crm.models import ShopSettings

SHOP = "https://shop.example.com"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,*/*",
    "Accept-Language": "en",
}


def ask(
    port: int, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    """One request over a real socket."""
    door = HTTPConnection(LOCALHOST, port, timeout=20)
    try:
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        door.request(method, path, text, headers or {})
        answer = door.getresponse()
        return answer, answer.read()
    finally:
        door.close()


class Browser:
    """One visitor's browser: reports what the script would, follows links, keeps no cookies."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.visitor = str(uuid4())

    def tell(self, kind: str, **details: object) -> None:
        at = int(clock.now().timestamp() * 1000)
        event = {"id": str(uuid4()), "t": kind, "at": at, "url": f"{SHOP}/", "p": details}
        body = {
            "k": ShopSettings.objects.get(pk=1).ingest_key,
            "v": self.visitor,
            "b": str(uuid4()),
            "s": at,
            "e": [event],
        }
        headers = BROWSER | {"Content-Type": "text/plain;charset=UTF-8", "Origin": SHOP}
        answer, words = ask(self.port, "POST", "/c", body, headers)
        assert answer.status == 204, words

    def identify(self, email: str, **details: object) -> None:
        """The address, signed by the shop's server for this visitor."""
        timestamp = int(clock.now().timestamp())
        said = f"{self.visitor}|{email}|{timestamp}".encode()
        secret = tokens.derive("shop-server").hex().encode()
        signature = hmac.new(secret, said, hashlib.sha256).hexdigest()
        self.tell("identify", email=email, timestamp=timestamp, signature=signature, **details)

    def cart(self, token: str, *lines: dict[str, object]) -> None:
        self.tell("cart", token=token, currency="EUR", url=f"{SHOP}/cart", lines=list(lines))

    def follow(self, link: str) -> str:
        """Open a link of a message; returns where it leads."""
        answer, words = ask(self.port, "GET", _path(link), headers=BROWSER)
        assert answer.status == 302, words
        return answer.headers["Location"]

    def read_cart(self, token: str) -> dict[str, object]:
        """What the shop's restore page asks for."""
        answer, words = ask(self.port, "GET", f"/restore/{token}", headers=BROWSER | {"Origin": SHOP})
        assert answer.status == 200, words
        return json.loads(words)


class Server:
    """The shop's own server."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key

    def order(self, **details: object) -> None:
        self._tell("/api/v1/orders", {"placed_at": clock.now().isoformat(), **details})

    def product(self, **details: object) -> None:
        self._tell("/api/v1/products", {"updated_at": clock.now().isoformat(), **details})

    def contacts(self, *people: dict[str, object]) -> None:
        self._tell("/api/v1/contacts", {"contacts": list(people)})

    def _tell(self, path: str, body: dict[str, object]) -> None:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        answer, words = ask(self.port, "POST", path, body, headers)
        assert answer.status == 200, words


def links_of(message: EmailMessage) -> list[str]:
    """The addresses in the plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    return re.findall(r"https?://[^\s<>\"]+", part.get_content())


def _path(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
