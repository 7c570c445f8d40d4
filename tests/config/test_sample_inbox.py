"""The built-in mailbox and its page: real SMTP in, real HTTP out."""

import http.client
import json
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from config.embedded.sample.__main__ import Sample, Settings
from config.embedded.sample.frame import Links
from config.embedded.sample.mailbox import INDEX, Mailbox

NASTY = "<script>document.title='broken'</script>"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shop, inbox, public = "http://shop.localhost", "http://inbox.localhost", "http://m.localhost:8000"
    links = Links(shop, "http://t.localhost", inbox, "pk", "sk", "http://admin.localhost")
    return Settings("127.0.0.1", 0, 0, 0, tmp_path, public, links)


@pytest.fixture
def sample(settings: Settings) -> Iterator[Sample]:
    running = Sample(settings)
    yield running
    running.stop()


def letter(subject: str = "Your cart", to: str = "ana@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Mara <mara@lark.example.com>", to, subject
    message["List-Unsubscribe"] = "<http://m.localhost:8000/u/t1>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Hello Ana, plain.")
    message.add_alternative(f"<html><head></head><body><b>Hello</b>{NASTY}</body></html>", subtype="html")
    return message


def send(sample: Sample, *messages: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", sample.ports[2], timeout=60) as smtp:
        for message in messages:
            smtp.send_message(message)


def get(sample: Sample, path: str, method: str = "GET") -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", sample.ports[1], timeout=60)
    connection.request(method, path, b"" if method == "POST" else None)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, text, dict(answer.getheaders())


def test_an_empty_inbox_says_what_to_do(sample: Sample) -> None:
    status, text, _ = get(sample, "/")
    assert status == 200
    assert "No message yet" in text
    assert "http://shop.localhost" in text


def test_every_message_stands_in_the_list_newest_first(sample: Sample) -> None:
    send(sample, letter("First"), letter("Second", "boris@example.com"))
    _, text, _ = get(sample, "/")
    assert text.index("Second") < text.index("First")
    assert "2 messages" in text
    assert json.loads(get(sample, "/newest.json")[1])["count"] == 2
    _, found, _ = get(sample, "/?q=BORIS")
    assert "Second" in found and "First" not in found
    assert "Nothing for" in get(sample, "/?q=nobody")[1]


def test_a_message_shows_its_letter_text_headers_and_source(sample: Sample) -> None:
    send(sample, letter())
    name = sample.mailbox.newest()[0].name
    _, text, _ = get(sample, f"/m/{name}")
    assert "Hello Ana, plain." in text
    assert "&lt;http://m.localhost:8000/u/t1&gt;" in text
    assert NASTY not in text and 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in text
    _, raw, headers = get(sample, f"/m/{name}/raw")
    assert "Subject: Your cart" in raw and headers["Content-Type"].startswith("text/plain")


def test_the_letter_can_run_nothing_and_opens_links_beside_it(sample: Sample) -> None:
    send(sample, letter())
    name = sample.mailbox.newest()[0].name
    _, text, headers = get(sample, f"/m/{name}/html")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "allow-scripts" not in policy
    assert '<head><base target="_blank">' in text


def test_a_message_survives_a_restart_and_a_lost_index(sample: Sample, settings: Settings) -> None:
    send(sample, letter("Kept"))
    again = Mailbox(settings.var / "mailbox")
    assert [entry.subject for entry in again.newest()] == ["Kept"]
    index = settings.var / "mailbox" / INDEX
    index.write_text(index.read_text()[:40])
    rebuilt = Mailbox(settings.var / "mailbox").newest()[0]
    assert (rebuilt.subject, rebuilt.to) == ("Kept", "ana@example.com")
    assert rebuilt.received_at == again.newest()[0].received_at


def test_emptying_takes_everything(sample: Sample, settings: Settings) -> None:
    send(sample, letter())
    assert get(sample, "/empty", "POST")[0] == 303
    assert "No message yet" in get(sample, "/")[1]
    assert list((settings.var / "mailbox").glob("*")) == []


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "%2e%2e"])
def test_names_outside_the_index_are_not_read(sample: Sample, name: str) -> None:
    for rest in ("", "/html", "/raw"):
        assert get(sample, f"/m/{name}{rest}")[0] == 404
    assert get(sample, f"/m/{name}/unsubscribe", "POST")[0] == 404


def test_the_unsubscribe_button_posts_to_the_product_only(sample: Sample) -> None:
    foreign = letter()
    foreign.replace_header("List-Unsubscribe", "<http://elsewhere.example/u/t1>")
    plain = letter()
    del plain["List-Unsubscribe-Post"]
    send(sample, foreign, plain)
    for entry in sample.mailbox.newest():
        assert get(sample, f"/m/{entry.name}/unsubscribe", "POST")[0] == 404
        assert "RFC 8058" not in get(sample, f"/m/{entry.name}")[1]
    send(sample, letter())
    own = sample.mailbox.newest()[0].name
    assert "RFC 8058" in get(sample, f"/m/{own}")[1]
    status, _, headers = get(sample, f"/m/{own}/unsubscribe", "POST")
    assert status == 303 and headers["Location"].startswith(f"/m/{own}?said=")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no headers at all",
        b"Subject: =?utf-8?q?broken\r\nTo: <<>>,;\r\nFrom: \xff\xfe\r\n\r\nx",
        b"Content-Type: text/html; charset=klingon\r\n\r\n\xff\xfehello",
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\n--y\r\n",
    ],
)
def test_mail_that_is_no_mail_is_kept_and_shown(sample: Sample, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", sample.ports[2], timeout=60) as smtp:
        smtp.sendmail("a@example.com", ["b@example.com"], raw)
    name = sample.mailbox.newest()[0].name
    assert "b@example.com" in get(sample, "/")[1]
    for rest in ("", "/html", "/raw"):
        assert get(sample, f"/m/{name}{rest}")[0] == 200
