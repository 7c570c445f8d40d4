"""A real collector on a real socket, and what a browser with the script would send to it."""

import hashlib
import http.client
import json
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from crm.models import ServerKey, ShopSettings
from tests import ports, servers

KEY = "pk_test_collect"
ORIGIN = "http://shop.localhost:8002"
BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
SERVER_KEY = "sk_test_replay"


class Collector:
    """Where it listens, and its process."""

    def __init__(self, port: int, process: subprocess.Popen) -> None:
        self.port = port
        self.process = process

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            sent = {"User-Agent": BROWSER, "Accept": "*/*", "Accept-Language": "en"} | dict(headers or {})
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return (
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    def collect(self, body: bytes | dict[str, Any], **headers: str) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "text/plain;charset=UTF-8", "Origin": ORIGIN}
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", "/c", raw, sent | told)[0]

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return self.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def send_raw(self, data: bytes, wait: float = 5) -> bytes:
        """Bytes that need not be HTTP, and what comes back before the other side closes or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            answer = b""
            with suppress(OSError):
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    answer += part
            return answer


def event(kind: str, at: float | None = None, *, url: str = "", **details: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "t": kind,
        "at": int((at if at is not None else _seconds()) * 1000),
        "url": url or f"{ORIGIN}/",
        "p": details,
    }


def message(
    visitor: uuid.UUID, *events: dict[str, Any], sent: float | None = None, key: str = KEY
) -> dict[str, Any]:
    return {
        "k": key,
        "v": str(visitor),
        "b": str(uuid.uuid4()),
        "s": int((sent if sent is not None else _seconds()) * 1000),
        "e": list(events),
    }


def line(product_id: str = "p1", price: str = "19.90", quantity: int = 1) -> dict[str, Any]:
    return {
        "product_id": product_id,
        "name": f"Product {product_id}",
        "price": price,
        "quantity": quantity,
        "url": f"{ORIGIN}/{product_id}",
    }


@contextmanager
def running(
    environment: Mapping[str, str], program: str = "config.collect:app", interface: str = "asgi"
) -> Iterator[Collector]:
    [port] = ports.free()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--no-access-log",
        "--log-level",
        "warning",
        "--host",
        "127.0.0.1",
    ]
    process = subprocess.Popen(
        servers.bound([*command, "--interface", interface, "--port", str(port), program]),
        env=dict(environment),
        cwd=Path(__file__).parent.parent,
    )
    try:
        for _ in range(200):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            assert process.poll() is None, f"{program} ended"
            time.sleep(0.05)
        yield Collector(port, process)
    finally:
        process.terminate()
        process.wait(60)


def without_limits(environment: Mapping[str, str]) -> dict[str, str]:
    """One address sends all the requests of a test."""
    return dict(environment) | {"REKINDLE_COLLECT_RATE": "100000"}


def _seconds() -> float:
    return time.time()  # noqa: TID251 - plays a browser's own clock


@pytest.fixture
def tracked_shop(transactional_db: None) -> ShopSettings:
    """The shop whose script reports, and a key of its server."""
    ServerKey.objects.create(
        name="replay", prefix=SERVER_KEY[:8], sha256=hashlib.sha256(SERVER_KEY.encode()).digest()
    )
    return ShopSettings.objects.update_or_create(
        pk=1,
        defaults={
            "ingest_key": KEY,
            "allowed_origins": [ORIGIN],
            "cart_restore_url": f"{ORIGIN}/cart/restore",
        },
    )[0]


@pytest.fixture(scope="session")
def collector_process(django_db_setup: None, servers_run: servers.Run) -> Iterator[Collector]:
    with running(without_limits(servers_run.environment())) as found:
        yield found


@pytest.fixture
def collector(collector_process: Collector, tracked_shop: ShopSettings) -> Collector:
    """One process for all tests of a session: what it remembers of the shop is the same in all of them."""
    return collector_process
