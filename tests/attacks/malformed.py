"""Malformed requests without end, the same for the same seed: what broke naive servers, and mixtures of it.

An endpoint says what a good request to it looks like; everything here is that request, damaged.
"""

import gzip
import json
import random  # noqa: TID251 - a seeded generator: a request that did harm can be made again
import socket
import string
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

Dice = random.Random


@dataclass(frozen=True)
class Endpoint:
    """A public door: `good` is the JSON of a good request, or nothing; `token` stands in `path`."""

    name: str
    method: str
    path: str
    good: dict[str, Any] | None = None
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Damaged:
    """A request as bytes on the wire, and what was done to it."""

    what: str
    method: bytes
    path: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    length: bytes | None = None
    is_unfinished: bool = False
    framed: bytes = b""

    @property
    def sent(self) -> bytes:
        """The body as it goes out: in one piece, or in chunks."""
        return self.framed or self.body

    def wire(self) -> bytes:
        lines = [self.method + b" " + self.path + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.headers]
        if self.length is not None:
            lines.append(b"Content-Length: " + self.length)
        elif self.body and not self.framed:
            lines.append(b"Content-Length: " + str(len(self.body)).encode())
        return b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n" + self.sent


class Raw(str):
    """A piece of JSON that Python's own writer would never write."""


def values(dice: Dice) -> Any:
    """Something a field should not hold."""
    return dice.choice(
        [
            Raw("NaN"),
            Raw("Infinity"),
            Raw("-Infinity"),
            Raw("1e400"),
            Raw("9" * 5_000),
            Raw(str(2**31)),
            Raw(str(2**63)),
            Raw(str(-(2**63) - 1)),
            Raw("1e18"),
            Raw("-1e15"),
            Raw("-0"),
            Raw('"\\ud800"'),
            Raw('"a\\u0000b"'),
            Raw('"\\udc00\\ud800"'),
            Raw('{"a":1,"a":2}'),
            Raw("[" * 200 + "]" * 200),
            Raw('{"a":' * 5_000 + "1" + "}" * 5_000),
            "http://[::1/x",
            "http://a:99999/",
            "javascript:alert(1)",
            "http://user:pass@\u202eevil.example/",
            "".join(dice.choices(string.ascii_letters, k=9_000)),
            "\u202e\u200b\ufeff\U0001f4a9" * 50,
            "<script>alert(1)</script>'\";--",
            "0000-13-45T99:99:99Z",
            "not-a-uuid",
            "00000000-0000-0000-0000-000000000000",
            "",
            " ",
            None,
            True,
            False,
            0,
            -1,
            1.5,
            10**18,
            [],
            {},
            [[]],
            [None] * 60,
            {"": ""},
            {"x" * 300: "y"},
            [{"a": [{"b": [{}]}]}] * 30,
        ]
    )


def places(document: Any, before: tuple = ()) -> Iterator[tuple]:
    """Every place in a document, the whole of it included."""
    yield before
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in items:
        yield from places(value, (*before, key))


def put(document: Any, place: tuple, value: Any) -> Any:
    if not place:
        return value
    copied = dict(document) if isinstance(document, dict) else list(document)
    copied[place[0]] = put(copied[place[0]], place[1:], value)
    return copied


def written(value: Any) -> str:
    """JSON, with the pieces in it that are none."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=True)


def in_one_field(good: dict[str, Any], dice: Dice) -> bytes:
    document: Any = good
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        document = put(document, dice.choice(list(places(document))), values(dice))
    return written(document).encode()


def as_a_whole(good: dict[str, Any], dice: Dice) -> bytes:
    plain = json.dumps(good).encode()
    cut = dice.randrange(len(plain))
    flipped = bytearray(plain)
    for _ in range(dice.randrange(1, 8)):
        flipped[dice.randrange(len(flipped))] = dice.randrange(256)
    return dice.choice(
        [
            b"",
            b" \n\t",
            b"null",
            b"1",
            b'"x"',
            b"[1]",
            b"[]",
            b"{}",
            b"\xef\xbb\xbf" + plain,
            plain.decode().encode("utf-16"),
            plain.decode().encode("utf-32"),
            b"\xff\xfe\x00" + plain,
            plain[:cut],
            plain[cut:],
            plain + plain,
            plain + b"\x00",
            plain.replace(b'"', b"'"),
            plain.replace(b'"', b"\xed\xa0\x80", 1),
            bytes(flipped),
            dice.randbytes(dice.randrange(1, 5_000)),
            b"[" * 100_000,
            b'{"a":' * 20_000,
            b"[" * 20_000 + b"]" * 20_000,
            b'"' + b"\\" * 50_000,
            b" " * 70_000,
            b'{"k":' + b"1" * 60_000 + b"}",
            gzip.compress(b"0" * 1_000_000),
        ]
    )


def damaged(endpoint: Endpoint, dice: Dice) -> Damaged:
    """One damaged request to this endpoint."""
    found = _sound(endpoint)
    ways: list[tuple[str, Callable[[Damaged, Dice], None]]] = [("head", _head), ("line", _line)]
    if endpoint.good is not None:
        good = endpoint.good
        ways += [
            ("field", lambda request, dice: _body(request, in_one_field(good, dice))),
            ("field", lambda request, dice: _body(request, in_one_field(good, dice))),
            ("field", lambda request, dice: _body(request, in_one_field(good, dice))),
            ("body", lambda request, dice: _body(request, as_a_whole(good, dice))),
            ("framing", _framing),
        ]
    if endpoint.token:
        ways += [("token", lambda request, dice: _token(request, endpoint, dice))] * 5
    found.what, damage = dice.choice(ways)
    damage(found, dice)
    return found


def requests(endpoint: Endpoint, seed: int, number: int) -> Iterator[Damaged]:
    dice = Dice(f"{endpoint.name}:{seed}")
    for _ in range(number):
        yield damaged(endpoint, dice)


def send(port: int, request: Damaged, host: str = "127.0.0.1") -> tuple[int, dict[str, str], bytes]:
    """The status (0 where the connection was simply closed), headers and body of the answer."""
    answer = b""
    wait = 0.3 if request.is_unfinished else 15
    with socket.create_connection((host, port), timeout=wait) as connection, suppress(OSError):
        connection.sendall(request.wire())
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ", 2)
    if not lines[0].startswith("HTTP/") or not parts[1].isdecimal():
        return 0, {}, answer
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return int(parts[1]), fields, body


def _sound(endpoint: Endpoint) -> Damaged:
    headers = {"Host": "t.localhost", "User-Agent": "Mozilla/5.0", "Accept": "*/*"} | endpoint.headers
    return Damaged(
        "nothing",
        endpoint.method.encode(),
        endpoint.path.replace("{token}", endpoint.token).encode(),
        [(name.encode(), value.encode()) for name, value in headers.items()],
        json.dumps(endpoint.good).encode() if endpoint.good is not None else b"",
    )


def _body(request: Damaged, body: bytes) -> None:
    request.body = body


def _set(request: Damaged, name: bytes, value: bytes) -> None:
    request.headers = [(known, old) for known, old in request.headers if known.lower() != name.lower()]
    request.headers.append((name, value))


def _head(request: Damaged, dice: Dice) -> None:
    name, value = dice.choice(
        [
            (b"Content-Type", b"application/xml"),
            (b"Content-Type", b""),
            (b"Content-Type", b"\xff\xfe"),
            (b"Content-Type", b"multipart/form-data; boundary="),
            (b"Content-Type", b"text/plain; charset=utf-7"),
            (b"Content-Encoding", b"gzip"),
            (b"Content-Encoding", b"br, gzip, deflate"),
            (b"Origin", b"null"),
            (b"Origin", b"https://shop.evil"),
            (b"Origin", b"\xc3\x28://"),
            (b"Origin", b"http://[::1"),
            (b"Host", b"[::1"),
            (b"Host", b"evil.example:99999"),
            (b"Host", b"\xff\xff"),
            (b"Host", b"a" * 5_000),
            (b"User-Agent", b"\xed\xa0\x80\xff" * 100),
            (b"User-Agent", b"x" * 9_000),
            (b"User-Agent", b""),
            (b"Accept-Language", b"\xff" * 500),
            (b"Sec-Purpose", b"prefetch;\x80"),
            (b"X-Forwarded-For", b"999.999.1.1, ::::, \xff"),
            (b"X-Rekindle-Replay", b"\xff" * 100),
            (b"X-Rekindle-At", b"9" * 50),
            (b"Authorization", b"Bearer \xff"),
            (b"Cookie", b"a=" + b"b" * 8_000),
            (b"If-None-Match", b'"' * 300),
            (b"Expect", b"200-maybe"),
            (b"Range", b"bytes=-1--5"),
            (b"Upgrade", b"h2c"),
            (b"X-" + b"y" * 900, b"z"),
        ]
    )
    _set(request, name, value)
    if request.body and dice.random() < 0.1:
        boundary = b"--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
        _set(request, b"Content-Type", b"multipart/form-data; boundary=xyz")
        request.body = boundary * dice.choice((1, 1_000)) + dice.choice((b"--xyz--", b""))


def _line(request: Damaged, dice: Dice) -> None:
    if dice.random() < 0.4:
        request.method = dice.choice(
            [
                b"TRACE",
                b"PUT",
                b"DELETE",
                b"PATCH",
                b"HEAD",
                b"OPTIONS",
                b"CONNECT",
                b"PROPFIND",
                b"get",
                b"G\xc8T",
            ]
        )
        return
    request.path = dice.choice(
        [
            request.path + b"/../../etc/passwd",
            request.path + b"%00",
            request.path + b"?" + b"a=1&" * 1_000,
            request.path + b"?%ff%fe=%zz",
            request.path + b"%c0%af",
            request.path + b"%ed%a0%80",
            b"/" + request.path,
            b"//evil.example" + request.path,
            b"/%2e%2e" + request.path,
            b"/" + b"a" * 7_000,
            b"*",
            b"http://evil.example" + request.path,
            b"/\xff\xfe",
            b"/c\\..\\x",
        ]
    )


def _framing(request: Damaged, dice: Dice) -> None:
    choice = dice.randrange(7)
    if choice == 0:
        request.length = str(len(request.body) + dice.randrange(1, 1_000)).encode()
        request.is_unfinished = True
    elif choice == 1:
        request.length = str(dice.randrange(len(request.body))).encode()
    elif choice == 2:
        request.length = dice.choice([b"-1", b"9" * 30, b"1e3", b"0x10", b"5, 6"])
    elif choice == 3:
        _set(request, b"Transfer-Encoding", b"chunked")
        request.is_unfinished = True
        request.framed = dice.choice(
            [b"zz\r\n" + request.body, b"5\r\nab", b"ffffffffffffffffff\r\n", b"0\r\n\r\nGET / HTTP/1.1"]
        )
    elif choice == 4:
        _set(request, b"Transfer-Encoding", b"chunked")
        request.framed = f"{len(request.body):x}\r\n".encode() + request.body + b"\r\n0\r\n\r\n"
    elif choice == 5:
        _set(request, b"X-Long", b"v" * dice.choice((100_000, 10_000_000)))
    else:
        request.headers += [(b"X-%d" % number, b"y") for number in range(300)]


def _token(request: Damaged, endpoint: Endpoint, dice: Dice) -> None:
    token = endpoint.token.encode()
    place = dice.randrange(len(token))
    made = dice.choice(
        [
            token[:place] + dice.choice(string.ascii_letters).encode() + token[place + 1 :],
            token[:place] + b"%00" + token[place:],
            token[:place] + b"%ff" + token[place:],
            token[:place] + b"%ed%b0%80" + token[place:],
            token[:place] + b"%F0%9F%92%A9" + token[place:],
            token[:place] + b"=" + token[place:],
            token[:place],
            token * 3,
            token * 60,
            token + b"%0d%0aLocation:%20https://evil.example",
            b"%2e%2e%2f" * 10,
            b"'%20OR%201=1--",
            b"%",
            b"%zz",
            b"-" * 43,
            b"\xff" * 30,
            dice.randbytes(20).replace(b" ", b"").replace(b"\r", b"").replace(b"\n", b""),
            "".join(
                dice.choices(string.ascii_letters + string.digits + "-_", k=dice.randrange(1, 200))
            ).encode(),
        ]
    )
    request.path = endpoint.path.encode().replace(b"{token}", made)
