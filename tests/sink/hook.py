"""A receiver of webhooks on localhost, over TLS, with faults and a record of every call.

Faults have the phase `post`; `reply` is `500 busy` or `302 https://elsewhere/`.
"""

import json
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.sink.faults import Fault, Faults
from tests.sink.smtp import CERTIFICATE


@dataclass(frozen=True)
class Heard:
    """One call as it came in."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    sink: "HookSink"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that gave up waiting is what the faults are for."""


class _Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sink = self.server.sink
        sink.heard.append(Heard(self.path, {name.lower(): one for name, one in self.headers.items()}, raw))
        fault = sink.faults.at("post")
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and fault.drop:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        status, _, words = (fault.reply if fault and fault.reply else "200 thanks").partition(" ")
        self.send_response(int(status))
        if status.startswith("3"):
            self.send_header("Location", words)
        octets = words.encode()
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the record tells."""


class HookSink:
    """`with HookSink(Fault("post", reply="500 busy", times=1)) as sink: …`"""

    def __init__(self, *faults: Fault) -> None:
        self.faults = Faults(faults)
        self.heard: list[Heard] = []
        self._server = _Server(("127.0.0.1", 0), _Call)
        self._server.sink = self
        self.port = self._server.server_port
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.trusting = ssl.create_default_context(cafile=str(CERTIFICATE))

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
