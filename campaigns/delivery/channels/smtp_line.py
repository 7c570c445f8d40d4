"""One SMTP connection that never blocks: every wait is a `yield` of what it waits for.

Written as generators, so that one thread drives many connections (`smtp.Courier`) and the conversation still
reads from top to bottom.
"""

import base64
import re
import socket
import ssl
import struct
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum


class Wait(Enum):
    READ = 1
    WRITE = 2
    FENCE = 3


Steps = Generator[Wait, None, None]


class Lost(Exception):
    """The connection is gone, silent beyond its time, or talks nonsense."""


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    text: str

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 400


class Declined(Lost):
    """The server answered our greeting, encryption or log-in with a no."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over. Encryption that is asked for is never given up when the server lacks it."""

    host: str
    port: int = 25
    security: str = ""  # "", "starttls" or "tls"
    username: str = ""
    password: str = field(default="", repr=False)
    helo: str = "localhost"
    context: ssl.SSLContext | None = None
    phase_seconds: float = 30.0
    # RFC 5321 4.5.3.2.6: giving up early here is what makes duplicates.
    dot_seconds: float = 600.0


_CODE = re.compile(rb"[2-5][0-9][0-9]([ -]|$)").match
_LONGEST_REPLY = 65536


class Line:
    """The connection itself: bytes in and out, replies, greeting, encryption, log-in."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sock: socket.socket | None = None
        self.deadline = 0.0
        self.features: dict[str, str] = {}
        self._buffer = bytearray()

    @property
    def is_open(self) -> bool:
        return self.sock is not None

    def fileno(self) -> int:
        return self.sock.fileno() if self.sock else -1

    def allow(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds

    def close(self) -> None:
        """Hang up at once; whatever has not left yet never will."""
        if self.sock is not None:
            with suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
            self.sock = None
        self._buffer.clear()

    def quit(self) -> None:
        """A polite farewell, for which nobody waits."""
        if self.sock is not None:
            with suppress(OSError):
                self.sock.send(b"QUIT\r\n")
            self.sock.close()
            self.sock = None

    def is_stale(self) -> bool:
        """An idle connection on which something arrived: a farewell or its end."""
        assert self.sock is not None
        try:
            return bool(self._buffer) or self.sock.recv(1) is not None
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except OSError:
            return True

    def open(self) -> Steps:
        self.allow(self.server.phase_seconds)
        try:
            yield from self._connect()
        except OSError as error:
            raise Lost(f"cannot connect to {self.server.host}:{self.server.port}: {error}") from error
        if self.server.security == "tls":
            yield from self._encrypt()
        yield from self._expect("greeting")
        yield from self._greet()
        if self.server.security == "starttls":
            if "STARTTLS" not in self.features:
                raise Declined("the server does not offer STARTTLS")
            yield from self.write(b"STARTTLS\r\n")
            yield from self._expect("STARTTLS")
            if self._buffer:
                raise Lost("something was injected before the encryption began")
            yield from self._encrypt()
            yield from self._greet()
        if self.server.username:
            yield from self._log_in()

    def _connect(self) -> Steps:
        last: OSError = OSError("no address")
        found = socket.getaddrinfo(self.server.host, self.server.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, where in found:
            sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = sock
            try:
                try:
                    sock.connect(where)
                except BlockingIOError:
                    yield Wait.WRITE
                failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if failed:
                    raise OSError(failed, "connection failed")
                return
            except OSError as error:
                last = error
                self.close()
        raise last

    def _encrypt(self) -> Steps:
        assert self.sock is not None
        context = self.server.context or ssl.create_default_context()
        try:
            secured = context.wrap_socket(
                self.sock, server_hostname=self.server.host, do_handshake_on_connect=False
            )
            self.sock = secured
            while True:
                try:
                    secured.do_handshake()
                    return
                except ssl.SSLWantReadError:
                    yield Wait.READ
                except ssl.SSLWantWriteError:
                    yield Wait.WRITE
        except OSError as error:
            raise Lost(f"encryption failed: {error}") from error

    def _greet(self) -> Steps:
        yield from self.write(f"EHLO {self.server.helo}\r\n".encode("ascii"))
        reply = yield from self._expect("EHLO")
        words = [line.partition(" ") for line in reply.text.split("\n")[1:]]
        self.features = {name.upper(): rest for name, _, rest in words}

    def _log_in(self) -> Steps:
        offered = self.features.get("AUTH", "").upper().split()
        name, password = self.server.username, self.server.password
        if "PLAIN" in offered:
            yield from self.write(b"AUTH PLAIN " + _base64(f"\0{name}\0{password}") + b"\r\n")
        elif "LOGIN" in offered:
            yield from self.write(b"AUTH LOGIN\r\n")
            for answer in (name, password):
                yield from self._expect("AUTH")
                yield from self.write(_base64(answer) + b"\r\n")
        else:
            raise Declined("the server offers no log-in that we know")
        yield from self._expect("AUTH")

    def _expect(self, what: str) -> Generator[Wait, None, Reply]:
        self.allow(self.server.phase_seconds)
        reply = yield from self.reply()
        if not reply.positive:
            raise Declined(f"{what}: {reply.code} {reply.text}")
        return reply

    def write(self, octets: bytes) -> Steps:
        """Hand all of it to the operating system."""
        rest = memoryview(octets)
        while rest:
            if self.sock is None:
                raise Lost("not connected")
            try:
                rest = rest[self.sock.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                yield Wait.WRITE
            except ssl.SSLWantReadError:
                yield Wait.READ
            except OSError as error:
                raise Lost(f"connection lost: {error}") from error

    def reply(self) -> Generator[Wait, None, Reply]:
        """One whole reply, its lines joined by newlines."""
        lines: list[bytes] = []
        while True:
            end = self._buffer.find(b"\n")
            if end < 0:
                yield from self._receive()
                continue
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            if not _CODE(line):
                raise Lost(f"not a reply: {line[:80]!r}")
            lines.append(line)
            if line[3:4] != b"-":
                text = "\n".join(one[4:].decode("utf-8", "replace") for one in lines)
                return Reply(int(line[:3]), text[:2000])
            if len(lines) > 200:
                raise Lost("an endless reply")

    def _receive(self) -> Steps:
        while True:
            if self.sock is None:
                raise Lost("not connected")
            try:
                octets = self.sock.recv(16384)
            except (BlockingIOError, ssl.SSLWantReadError):
                yield Wait.READ
                continue
            except ssl.SSLWantWriteError:
                yield Wait.WRITE
                continue
            except OSError as error:
                raise Lost(f"connection lost: {error}") from error
            if not octets:
                raise Lost("connection closed by the server")
            self._buffer += octets
            if len(self._buffer) > _LONGEST_REPLY:
                raise Lost("an endless reply")
            return


def _base64(text: str) -> bytes:
    return base64.b64encode(text.encode())
