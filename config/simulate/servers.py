"""The product's own public doors on real sockets, inside this process, so that they live on its moved
clock.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from aiosmtpd.controller import Controller
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from granian.constants import Interfaces
from granian.server.embed import Server

from config.simulate.sink import Arrival, Sink

LOCALHOST = "127.0.0.1"


@contextmanager
def collector() -> Iterator[int]:
    """The collector's application; yields its port."""
    from tracking.collect.app import Collector

    port = _free_port()
    loop = asyncio.new_event_loop()
    server = Server(
        Collector(),
        address=LOCALHOST,
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
        websockets=False,
    )

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.serve())
        loop.close()

    thread = threading.Thread(target=serve, name="collector", daemon=True)
    thread.start()
    _wait_for(port)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(timeout=10)


@contextmanager
def web() -> Iterator[int]:
    """Django's pages and the API; yields the port."""
    server = _WebServer((LOCALHOST, 0), _QuietHandler)
    server.set_app(_ClosingHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


@contextmanager
def mailbox() -> Iterator[Sink]:
    """An SMTP server that keeps what it accepted."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    sink = Sink()
    controller = Controller(_Receiver(sink), hostname=LOCALHOST, port=_free_port())
    controller.start()
    sink.port = controller.port
    try:
        yield sink
    finally:
        controller.stop()


class _Receiver:
    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        delivery = str(message.get("X-Rekindle-Delivery", ""))
        for recipient in envelope.rcpt_tos:
            self.sink.keep(Arrival(recipient, delivery, envelope.content))
        return "250 2.0.0 kept"


class _WebServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        # Without the reverse look-up of the host name that the standard library does.
        super(WSGIServer, self).server_bind()
        self.server_name, self.server_port = LOCALHOST, int(self.server_address[1])
        self.setup_environ()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


class _ClosingHandler(WSGIHandler):
    """Each request has a thread of its own; its database connection must not outlive it."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        try:
            return super().__call__(environ, start_response)
        finally:
            connections.close_all()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        return probe.getsockname()[1]


def _wait_for(port: int) -> None:
    waiter = threading.Event()
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex((LOCALHOST, port)) == 0:
                return
        waiter.wait(0.05)
    raise RuntimeError(f"Nothing answers on port {port}.")
