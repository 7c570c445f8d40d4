"""U2: the POST a mail provider sends, with nothing but itself, unsubscribes; twice is once."""

import socket

import pytest

from crm.models import ConsentEvent, Suppression
from tests.collecting import Collector
from tests.webbing import Message

pytestmark = pytest.mark.proof

PLAIN = b"List-Unsubscribe=One-Click"
PARTS = b'--xyz\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--xyz--\r\n'
ENCODINGS = [
    ("application/x-www-form-urlencoded", PLAIN),
    ("multipart/form-data; boundary=xyz", PARTS),
    ("", b""),
]


def post(port: int, path: str, content_type: str, body: bytes, version: str) -> bytes:
    """One bare POST, and all that comes back."""
    head = [
        f"POST {path} HTTP/{version}",
        "Host: m.localhost",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    head += [f"Content-Type: {content_type}"] if content_type else []
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode() + body)
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(("content_type", "body"), ENCODINGS)
def test_it_works_alone_and_twice_is_once(
    web: Collector, content_type: str, body: bytes, version: str
) -> None:
    mail, other = Message("ana@example.com"), Message("boris@example.com")
    for _ in range(2):
        answer = post(web.port, mail.paths["u"], content_type, body, version)
        head = answer.split(b"\r\n\r\n")[0].lower()
        assert head.split(b" ")[1] == b"200", answer[:300]
        assert b"set-cookie" not in head and b"location:" not in head
    withdrawn = ConsentEvent.objects.filter(action="withdrawn")
    assert [bytes(one.address_hash) for one in withdrawn] == [mail.address_hash]
    assert Suppression.objects.count() == 1
    assert not mail.may_send() and mail.may_send("newsletter") and other.may_send()


def test_what_it_says_in_the_body_and_around_it_does_not_matter(web: Collector) -> None:
    mail = Message("ana@example.com")
    strange = {
        "Cookie": "sessionid=0123456789abcdefghijklmnopqrstuv; csrftoken=0123456789abcdefghijklmnopqrstuv",
        "Referer": "https://evil.example/",
        "Origin": "https://evil.example",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    status, headers, _ = web.request(
        "POST", mail.paths["u"], b"List-Unsubscribe=One-Click&email=boris@example.com", strange
    )
    assert status == 200 and "set-cookie" not in headers
    assert not mail.may_send()
    assert ConsentEvent.objects.filter(action="withdrawn").count() == 1
