"""The HTTP twin of the SMTP sink: a mail provider's API as Postmark's is, with faults and a record.

Faults have the phase `post`; `reply` is `429`, `500 some text` or `200 not json`. What a faulty call accepted
all the same (`keep`) is recorded, and the caller never learns of it.
"""

import json
import socket
import struct
import threading
import time
import uuid
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.sink.faults import Fault, Faults
from tests.sink.records import Accepted, Records, copies


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    sink: "HttpSink"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that gave up waiting is what the faults are for."""


class _Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sink = self.server.sink
        message = json.loads(raw)
        if self.path != "/email" or self.headers.get("X-Postmark-Server-Token") != sink.token:
            return self.answer(401, {"ErrorCode": 10, "Message": "No valid token"})
        recipient = message["To"].rpartition("<")[2].rstrip(">")
        fault = sink.faults.at("post", recipient)
        delivery = message.get("Metadata", {}).get("delivery", "")
        if fault is None or fault.keep or not (fault.reply or fault.drop):
            sink.records.add(delivery, message["From"], recipient, raw)
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and fault.drop:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return self.connection.close()
        if fault and fault.reply:
            status, _, body = fault.reply.partition(" ")
            return self.answer(int(status), body or {"ErrorCode": 1, "Message": "a fault"})
        accepted = {"ErrorCode": 0, "Message": "OK", "MessageID": str(uuid.uuid4()), "To": message["To"]}
        return self.answer(200, accepted)

    def answer(self, status: int, body: dict[str, Any] | str) -> None:
        octets = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the record tells."""


class HttpSink:
    """`with HttpSink(Fault("post", reply="500", keep=True)) as sink: …`, its API at `sink.url`."""

    def __init__(
        self, *faults: Fault, seed: int = 1, port: int = 0, record: Path | str | None = None
    ) -> None:
        self.faults = Faults(faults, seed)
        self.records = Records(record)
        self.token = "token"
        self._server = _Server(("127.0.0.1", port), _Call)
        self._server.sink = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def accepted(self) -> list[Accepted]:
        return self.records.accepted()

    def copies(self) -> Counter[str]:
        return copies(self.accepted())

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        self.records.close()
