"""The SMTP fault sink: fast, on a real socket, with faults in every phase and a record of all it accepted.

In a test: `with SmtpSink(Fault("rcpt", reply="450 later", percent=2)) as sink: … sink.accepted()`.
As a process: `python -m tests.sink.smtp --port 2525 --record FILE --fault '{"phase": "dot", "drop": true}'`;
`tests.sink.records.read(FILE)` then tells from outside what arrived, whoever was killed meanwhile.
"""

import argparse
import asyncio
import base64
import binascii
import contextlib
import json
import re
import ssl
import threading
from collections import Counter
from pathlib import Path
from typing import Self

from tests.sink.faults import Fault, Faults
from tests.sink.records import Accepted, Records, copies

CERTIFICATE = Path(__file__).with_name("localhost.pem")
_DELIVERY = re.compile(rb"^X-Rekindle-Delivery:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_PATH = re.compile(r"(?:FROM|TO):\s*<([^>]*)>", re.IGNORECASE)


class _Session(asyncio.Protocol):
    """One connection. Lines are worked off in order; a delayed reply holds back all that follow."""

    def __init__(self, sink: "SmtpSink") -> None:
        self.sink = sink
        self.transport: asyncio.Transport
        self.buffer = bytearray()
        self.sender = self.recipient = ""
        self.has_sender = self.in_body = self.held = self.secure = False
        self.login: list[str] | None = None
        self.scanned = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if not self.secure:
            self.sink.connections += 1
            self.answer("connect", "220 sink ready")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.work()

    def work(self) -> None:
        while not self.held and not self.transport.is_closing():
            if self.in_body:
                if not self.body():
                    return
                continue
            end = self.buffer.find(b"\n")
            if end < 0:
                return
            line = self.buffer[:end].decode("latin-1").rstrip("\r")
            del self.buffer[: end + 1]
            self.command(line)

    def command(self, line: str) -> None:
        if self.login is not None:
            self.credentials(line)
            return
        verb = line[:4].upper()
        if verb in ("EHLO", "HELO"):
            self.answer("ehlo", "\r\n".join(self.greeting()))
        elif verb == "MAIL":
            self.forget()
            self.sender = self.path(line)
            self.has_sender = self.answer("mail", "250 2.1.0 sender ok")
        elif verb == "RCPT":
            recipient = self.path(line)
            if not self.has_sender:
                self.say("503 5.5.1 need MAIL first")
            elif self.answer("rcpt", "250 2.1.5 recipient ok", recipient):
                self.recipient = recipient
        elif verb == "DATA":
            if not self.recipient:
                self.say("554 5.5.1 no valid recipients")
            elif self.answer("data", "354 go on", self.recipient):
                self.in_body, self.scanned = True, 0
        elif verb == "RSET":
            self.forget()
            self.say("250 2.0.0 forgotten")
        elif verb == "NOOP":
            self.say("250 2.0.0 ok")
        elif verb == "QUIT":
            self.say("221 2.0.0 bye")
            self.transport.close()
        elif verb == "AUTH":
            self.authenticate(line)
        elif line.upper() == "STARTTLS" and self.sink.tls == "starttls" and not self.secure:
            self.say("220 2.0.0 go ahead")
            self.held = True
            self.sink.spawn(self.encrypt())
        else:
            self.say("502 5.5.2 no such command")

    def greeting(self) -> list[str]:
        offers = [*self.sink.offers]
        if self.sink.login:
            offers.append("AUTH PLAIN LOGIN")
        if self.sink.tls == "starttls" and not self.secure:
            offers.append("STARTTLS")
        return [f"250-{line}" for line in ["sink", *offers]] + ["250 ENHANCEDSTATUSCODES"]

    def body(self) -> bool:
        """True when a whole message was taken from the buffer."""
        fault = self.sink.faults.at("body", self.recipient) if not self.scanned else None
        if fault and fault.drop:
            self.held = True
            asyncio.get_running_loop().call_later(fault.delay, self.transport.abort)
            return False
        if self.buffer.startswith(b".\r\n"):
            end, after = 0, 3
        else:
            found = self.buffer.find(b"\r\n.\r\n", max(0, self.scanned - 4))
            self.scanned = len(self.buffer)
            if found < 0:
                return False
            end, after = found + 2, found + 5
        raw = bytes(self.buffer[:end]).replace(b"\r\n..", b"\r\n.")
        del self.buffer[:after]
        self.in_body = False
        self.finish(raw[1:] if raw.startswith(b"..") else raw)
        return True

    def finish(self, raw: bytes) -> None:
        found = _DELIVERY.search(raw, 0, max(0, raw.find(b"\r\n\r\n")))
        delivery = found[1].decode("latin-1") if found else ""
        sender, recipient = self.sender, self.recipient
        fault = self.sink.faults.at("dot", recipient)
        self.forget()
        if fault is None or fault.keep or not (fault.reply or fault.drop):
            self.sink.records.add(delivery, sender, recipient, raw)
        self.act(fault, f"250 2.0.0 ok: queued as {len(raw):X}-{self.sink.taken()}")

    def answer(self, phase: str, usual: str, recipient: str = "") -> bool:
        fault = self.sink.faults.at(phase, recipient or self.recipient)
        self.act(fault, usual)
        return fault is None or not (fault.drop or fault.reply)

    def act(self, fault: Fault | None, usual: str) -> None:
        if fault is None:
            self.say(usual)
            return
        if not fault.delay:
            self.carry_out(fault, usual)
            return
        self.held = True
        asyncio.get_running_loop().call_later(fault.delay, self.resume, fault, usual)

    def resume(self, fault: Fault, usual: str) -> None:
        self.held = False
        self.carry_out(fault, usual)
        self.work()

    def carry_out(self, fault: Fault, usual: str) -> None:
        if fault.drop:
            self.transport.abort()
            return
        self.say(fault.reply or usual)
        if fault.reply.startswith("421"):
            self.transport.close()

    def say(self, text: str) -> None:
        self.transport.write(text.encode() + b"\r\n")

    def forget(self) -> None:
        self.sender = self.recipient = ""
        self.has_sender = False

    @staticmethod
    def path(line: str) -> str:
        found = _PATH.search(line)
        return found[1] if found else ""

    def authenticate(self, line: str) -> None:
        words = line.split()
        if words[1].upper() == "PLAIN" and len(words) == 3:
            _, user, password = _plain(words[2]).split("\0")
            self.judge(user, password)
        else:
            self.login = []
            self.say("334 VXNlcm5hbWU6")

    def credentials(self, line: str) -> None:
        assert self.login is not None
        self.login.append(_plain(line))
        if len(self.login) == 1:
            self.say("334 UGFzc3dvcmQ6")
            return
        user, password = self.login
        self.login = None
        self.judge(user, password)

    def judge(self, user: str, password: str) -> None:
        welcome = (user, password) == self.sink.login
        self.answer("auth", "235 2.7.0 welcome" if welcome else "535 5.7.8 wrong name or password")

    async def encrypt(self) -> None:
        self.secure = True
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError, ssl.SSLError):
            secured = await loop.start_tls(self.transport, self, _tls(), server_side=True)
            if secured is not None:
                self.transport, self.held = secured, False
                self.work()


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "\0\0"


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


class SmtpSink:
    """The server, run in a thread of its own while the `with` block lasts."""

    def __init__(
        self,
        *faults: Fault,
        seed: int = 1,
        port: int = 0,
        record: Path | str | None = None,
        keep_raw: bool = True,
        tls: str = "",  # "", "starttls" or "tls"
        login: tuple[str, str] | None = None,
        offers: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SIZE 10485760"),
    ) -> None:
        self.faults = Faults(faults, seed)
        self.records = Records(record, keep_raw=keep_raw)
        self.tls, self.login, self.offers = tls, login, offers
        self.host, self.port = "127.0.0.1", port
        self.connections = 0
        self._taken = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()

    def taken(self) -> int:
        self._taken += 1
        return self._taken

    def accepted(self) -> list[Accepted]:
        return self.records.accepted()

    def copies(self) -> Counter[str]:
        return copies(self.accepted())

    def spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve(self, until: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Session(self),
            self.host,
            self.port,
            backlog=512,
            ssl=_tls() if self.tls == "tls" else None,
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await until.wait()
        server.close()

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._until = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="smtp-sink", daemon=True)
        self._thread.start()
        if not self._ready.wait(5):
            raise RuntimeError("the sink did not start")
        return self

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self.serve(self._until))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._until.set)
        self._thread.join(5)
        self.records.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--record", help="file to which each accepted message is appended")
    parser.add_argument(
        "--fault", action="append", default=[], help="a rule of tests.sink.faults.Fault, as JSON"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--bodies", action="store_true", help="record whole messages, not only their envelopes"
    )
    given = parser.parse_args()
    faults = [Fault(**json.loads(rule)) for rule in given.fault]
    sink = SmtpSink(*faults, seed=given.seed, port=given.port, record=given.record, keep_raw=given.bodies)

    async def forever() -> None:
        await sink.serve(asyncio.Event())

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(forever())


if __name__ == "__main__":
    main()
