"""The one client for addresses that users give us. It reaches public hosts over https and nothing else.

A name is looked up once, every address found must be public, and the connection goes to one of those very
addresses, so that a name server which changes its answer gains nothing. No redirects, a deadline, a size.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_CARRIERS = [ipaddress.ip_network(net) for net in ("64:ff9b:1::/48", "::/96", "192.88.99.0/24")]
_VISIBLE = frozenset(map(chr, range(0x21, 0x7F)))

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(ValueError):
    """An address this program does not connect to, with the reason."""


class Unreachable(Exception):
    """The other side did not answer as it should: no connection, too slow, too much, not HTTP."""


@dataclass(frozen=True)
class Policy:
    """What may be reached. The default is the public internet over https on its own port."""

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})
    # Networks that are allowed although they are not public: an operator's own, never a user's.
    networks: tuple[str, ...] = ()


PUBLIC = Policy()


@dataclass(frozen=True)
class Response:
    """An answer, whatever its status."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def request(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    policy: Policy = PUBLIC,
    seconds: float = 5,
    max_bytes: int = 1_000_000,
    verify: ssl.SSLContext | None = None,
) -> Response:
    """One request, one answer. Raises Forbidden before any connection, Unreachable after it."""
    scheme, host, port, target = _checked(url, policy)
    deadline = monotonic() + seconds
    where = _resolved(host, port, policy, seconds)
    connection = _Connection(
        host, port, where, deadline, (verify or _context()) if scheme == "https" else None
    )
    # A peer that sends a byte a second never trips a socket's own time-out: at the deadline the line is cut.
    alarm = threading.Timer(max(deadline - monotonic(), 0), connection.cut)
    alarm.daemon = True
    alarm.start()
    try:
        connection.request(method, target, body=body, headers={"User-Agent": "Rekindle", **(headers or {})})
        answer = connection.getresponse()
        content = answer.read(max_bytes + 1)
        if connection.is_cut:
            raise Unreachable(f"{host} did not answer within {seconds:g} s")
        if len(content) > max_bytes:
            raise Unreachable(f"{host} answered with more than {max_bytes} bytes")
        if answer.length:
            raise Unreachable(f"{host} broke off in the middle of its answer")
        return Response(answer.status, content, {name.lower(): value for name, value in answer.getheaders()})
    except (OSError, http.client.HTTPException, ValueError) as error:
        if connection.is_cut or isinstance(error, TimeoutError):
            raise Unreachable(f"{host} did not answer within {seconds:g} s") from error
        raise Unreachable(f"{host} could not be reached: {error}") from error
    finally:
        alarm.cancel()
        connection.close()


def check(url: str, policy: Policy = PUBLIC) -> None:
    """Say, while a user is typing an address, what `request` would refuse in it; looks no name up."""
    _checked(url, policy)


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet, also when it wraps another one."""
    inner = _wrapped(address)
    if inner is not None:
        return is_public(inner)
    if any(address.version == net.version and address in net for net in _CARRIERS):
        return False
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or getattr(address, "is_site_local", False)
    )


def _wrapped(address: Address) -> Address | None:
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _checked(url: str, policy: Policy) -> tuple[str, str, int, str]:
    if not set(url) <= _VISIBLE or "\\" in url or len(url) > 4000:
        raise Forbidden("the address holds spaces or signs that an address cannot have")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Forbidden("the address cannot be read") from None
    if parts.scheme not in policy.schemes:
        raise Forbidden(f"only {' and '.join(sorted(policy.schemes))} addresses are reached")
    if not host or "%" in host:
        raise Forbidden("the address names no host")
    if "@" in parts.netloc:
        raise Forbidden("an address with a user's name in it is not reached")
    port = port if port is not None else {"https": 443, "http": 80}[parts.scheme]
    if port not in policy.ports:
        raise Forbidden(f"port {port} is not reached")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port, target


def _resolved(host: str, port: int, policy: Policy, seconds: float) -> tuple[int, Any]:
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found.clear()

    # Looking a name up knows no time-out of its own.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    answers = list(found)
    if not answers:
        raise Unreachable(f"{host} has no address")
    allowed = [ipaddress.ip_network(net) for net in policy.networks]
    for *_, where in answers:
        address = ipaddress.ip_address(str(where[0]).split("%")[0])
        if not (
            is_public(address) or any(address.version == net.version and address in net for net in allowed)
        ):
            raise Forbidden(f"{host} leads to {address}, which is not on the public internet")
    return answers[0][0], answers[0][4]


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Connection(http.client.HTTPConnection):
    """Goes to an address that was checked, and speaks to the host that was asked for."""

    def __init__(
        self, host: str, port: int, where: tuple[int, Any], deadline: float, context: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port)
        self.default_port = 443 if context else 80
        self.is_cut = False
        self._where = where
        self._line: socket.socket | None = None
        self._deadline = deadline
        self._context = context

    def connect(self) -> None:
        family, where = self._where
        self._line = self.sock = socket.socket(family, socket.SOCK_STREAM)
        self._line.settimeout(max(self._deadline - monotonic(), 0.001))
        self._line.connect(where)
        if self._context:
            # The handshake comes after the line is known to `cut`: it can be drawn out, too.
            secure = self._context.wrap_socket(
                self._line, server_hostname=self.host, do_handshake_on_connect=False
            )
            self._line = self.sock = secure
            secure.do_handshake()

    def cut(self) -> None:
        """End the conversation from another thread, wherever it is."""
        self.is_cut = True
        if self._line is not None:
            with suppress(OSError):
                # Not the secure shutdown, which would wait for the other side.
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)
