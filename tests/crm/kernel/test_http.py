"""Addresses given by users lead to the public internet or nowhere."""

import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from time import monotonic, sleep

import pytest

from crm.kernel import http
from crm.kernel.http import Forbidden, Policy, Unreachable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Kind: canary\r\n\r\nhello"


class Canary:
    """A local server that counts who came and answers what it was told to."""

    def __init__(self, answer=ANSWER, *, tls=None, drip=0.0):
        self.visits, self.heard = 0, b""
        self.answer, self.tls, self.drip = answer, tls, drip
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            self.visits += 1
            with suppress(OSError):
                if self.tls:
                    line = self.tls.wrap_socket(line, server_side=True)
                with line:
                    line.settimeout(5)
                    self.heard = line.recv(65_536)
                    for begin in range(0, len(self.answer), 1 if self.drip else 65_536):
                        line.sendall(self.answer[begin : begin + (1 if self.drip else 65_536)])
                        sleep(self.drip)

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(5)


@pytest.fixture
def canary():
    opened = []

    def open_canary(*args, **options):
        opened.append(Canary(*args, **options))
        return opened[-1]

    yield open_canary
    for each in opened:
        each.close()


def local(port):
    return Policy(schemes=frozenset({"http", "https"}), ports=frozenset({port}), networks=("127.0.0.0/8",))


def test_an_allowed_address_is_asked_and_its_answer_read(canary):
    server = canary()
    answer = http.request(
        "POST",
        f"http://127.0.0.1:{server.port}/hook?a=b",
        body=b"{}",
        headers={"X-Sign": "s"},
        policy=local(server.port),
    )
    assert (answer.status, answer.body, answer.headers["x-kind"], answer.ok) == (
        200,
        b"hello",
        "canary",
        True,
    )
    assert server.heard.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert b"X-Sign: s" in server.heard and f"Host: 127.0.0.1:{server.port}".encode() in server.heard


INWARD = [
    "127.0.0.1",
    "[::1]",
    "0.0.0.0",
    "169.254.169.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "[fd00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[::127.0.0.1]",
    "[::]",
    "[ff02::1]",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "localhost",
    "localhost.",
]


@pytest.mark.parametrize("host", INWARD)
def test_no_spelling_of_an_inward_address_is_connected_to(canary, host):
    server = canary()
    policy = Policy(ports=frozenset({server.port}))
    with pytest.raises((Forbidden, Unreachable)) as refused:
        http.request("GET", f"https://{host}:{server.port}/", policy=policy)
    assert "public internet" in str(refused.value) or "has no address" in str(refused.value)
    assert server.visits == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "https://shop.example:8443/",
        "https://shop.example:99999/",
        "https://user:secret@shop.example/",
        "https://shop.example\\@10.0.0.1/",
        "https://shop.example/\r\nHost: x",
        "https://shop.example/a b",
        "https://shöp.example/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https:///x",
        "//shop.example",
        "",
    ],
)
def test_an_address_that_cannot_be_right_is_refused_before_any_look_up(monkeypatch, url):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("looked up"))
    with pytest.raises(Forbidden):
        http.request("GET", url)
    with pytest.raises(Forbidden):
        http.check(url)


def answers(*addresses):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]


def test_one_inward_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: answers("93.184.215.14", "10.0.0.1"))
    with pytest.raises(Forbidden, match=r"10\.0\.0\.1"):
        http.request("GET", "https://shop.example/")


def test_a_name_server_that_changes_its_mind_gains_nothing(monkeypatch, canary):
    server = canary()
    given, connected = [answers("93.184.215.14"), answers("127.0.0.1")], []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: given.pop(0))

    def connect(self, where):
        connected.append(where)
        raise OSError("not from a test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Unreachable):
        http.request("GET", "https://shop.example/")
    assert connected == [("93.184.215.14", 443)] and len(given) == 1 and server.visits == 0


def test_a_redirect_is_an_answer_and_not_followed(canary):
    inner = canary()
    there = f"http://127.0.0.1:{inner.port}/"
    server = canary(f"HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode())
    answer = http.request("GET", f"http://127.0.0.1:{server.port}/", policy=local(server.port))
    assert (answer.status, inner.visits) == (302, 0)


def test_too_much_is_not_read(canary):
    server = canary(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)
    with pytest.raises(Unreachable, match="more than 1000 bytes"):
        http.request("GET", f"http://127.0.0.1:{server.port}/", policy=local(server.port), max_bytes=1000)


@pytest.mark.parametrize(
    "answer", [ANSWER, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500, b"HTTP/1.1 200 " + b"x" * 500]
)
def test_a_byte_now_and_then_does_not_hold_the_line_open(canary, answer):
    server = canary(answer, drip=0.5)
    began = monotonic()
    with pytest.raises(Unreachable, match=r"within 0\.5 s"):
        http.request("GET", f"http://127.0.0.1:{server.port}/", policy=local(server.port), seconds=0.5)
    assert monotonic() - began < 15


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", ANSWER[:-2], b"\0" * 99])
def test_a_broken_answer_is_one_error_of_ours(canary, answer):
    server = canary(answer)
    with pytest.raises(Unreachable):
        http.request("GET", f"http://127.0.0.1:{server.port}/", policy=local(server.port))


def test_nobody_listening_is_the_same_error():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Unreachable):
        http.request("GET", f"http://127.0.0.1:{port}/", policy=local(port))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    made = f"-keyout {folder}/key.pem -out {folder}/cert.pem -days 2 -subj /CN=localhost"
    kind = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -addext subjectAltName=DNS:localhost"
    subprocess.run([openssl, "req", "-x509", *made.split(), *kind.split()], check=True, capture_output=True)
    return folder


def test_a_certificate_must_be_trusted_and_be_for_the_host(canary, certificate):
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    trusting = ssl.create_default_context(cafile=certificate / "cert.pem")
    server = canary(tls=ours)
    url, policy = f"https://localhost:{server.port}/", local(server.port)
    policy = Policy(schemes=policy.schemes, ports=policy.ports, networks=("127.0.0.0/8", "::1/128"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            socket,
            "getaddrinfo",
            lambda *a, **k: [(*answers("127.0.0.1")[0][:4], ("127.0.0.1", server.port))],
        )
        assert http.request("GET", url, policy=policy, verify=trusting).body == b"hello"
        with pytest.raises(Unreachable, match="certificate"):
            http.request("GET", url, policy=policy)
    with pytest.raises(Unreachable, match="certificate"):
        http.request("GET", f"https://127.0.0.1:{server.port}/", policy=policy, verify=trusting)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_public(address):
    assert http.is_public(ipaddress.ip_address(address))
