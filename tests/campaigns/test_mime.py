"""The message builder, read back by the standard library: what went in comes out, the wire is clean."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.delivery.mime import Mail, Unsendable, build
from tests.campaigns.letters import mail


def read(raw: bytes) -> EmailMessage:
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\0" not in raw
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert found.defects == []
    return found


def content(found: EmailMessage, kind: str) -> str:
    part = found.get_body((kind,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize("eightbit", [False, True])
def test_text_and_html_come_back_exactly(eightbit):
    made = mail(text="Grüße,\n  Anna…\n\n.\nFrom here\ttab \n= equals\n", html="<p>“é” €</p>\n" * 300)
    found = read(build(made, eightbit=eightbit))
    assert content(found, "plain") == made.text
    assert content(found, "html") == made.html
    assert found.get_content_type() == "multipart/alternative"


def test_the_headers_say_who_what_and_how_to_leave():
    made = mail(
        reply_to_name="Anna, Sales",
        reply_to_address="reply@shop.test",
        list_unsubscribe_mailto="leave@shop.test",
        headers={"X-Shop": "Hi-Fi & more"},
    )
    found = read(build(made))
    assert found["From"] == "Anna Müller <anna@shop.test>"
    assert found["To"] == "Person 1 <person1@example.com>"
    assert found["Reply-To"].addresses[0].display_name == "Anna, Sales"
    assert found["Subject"] == "Your cart, number 1"
    assert found["Message-ID"] == f"<{made.public_id}@shop.test>"
    assert found["X-Rekindle-Delivery"] == made.public_id
    assert found["Date"].datetime == made.date
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["X-Shop"] == "Hi-Fi & more"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    unfolded = "".join(found["List-Unsubscribe"].splitlines())
    assert unfolded == "<https://m.shop.test/u/1>, <mailto:leave@shop.test?subject=unsubscribe>"


def test_without_a_link_there_is_no_one_click():
    found = read(build(mail(list_unsubscribe_url="", list_unsubscribe_mailto="leave@shop.test")))
    assert "List-Unsubscribe" in found and "List-Unsubscribe-Post" not in found


def test_text_alone_is_one_part():
    found = read(build(mail(html="")))
    assert found.get_content_type() == "text/plain" and "Hello 1" in found.get_content()


def test_long_lines_are_wrapped_and_come_back_whole():
    made = mail(html="<p>" + "word " * 5000 + "</p>\n", text="x" * 3000 + "\n")
    for eightbit in (False, True):
        found = read(build(made, eightbit=eightbit))
        assert content(found, "html") == made.html and content(found, "plain") == made.text


def test_all_kinds_of_line_ends_become_the_one_kind():
    found = read(build(mail(text="a\rb\r\nc\nd", html="<p>\r\n\r</p>")))
    assert content(found, "plain") == "a\nb\nc\nd\n"


def test_a_foreign_domain_is_written_in_ascii():
    found = read(build(mail(to_address="kundin@bücher.example", from_address="wir@MÜLLER.example")))
    assert found["To"].addresses[0].domain == "xn--bcher-kva.example"
    assert found["Message-ID"].endswith("@xn--mller-kva.example>")


@pytest.mark.parametrize(
    "address",
    [
        "", "nobody", "@example.com", "a@", "a b@example.com", "a@b@example.com", "a@exam ple.com",
        "a@-x.com",
        "a@example..com", ".a@example.com", "a..b@example.com", "a@[127.0.0.1]", '"a b"@example.com', "a@b>",
        "a,b@example.com", "müller@example.com", "x" * 65 + "@example.com", "a@" + "b." * 130 + "com",
        "<a@b.com>",
        "a@example.com, b@example.com", "a@b.com\r\nBcc: c@d.com", "a@b.com\0", "a@b.com\n", "a@x\u2028.com",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(address):
    for place in ("to_address", "from_address"):
        with pytest.raises(Unsendable):
            build(mail(**{place: address}))


def test_a_message_without_its_delivery_is_refused():
    for wrong in ("", "a b", "x\r\nBcc: y", "é", "-"):
        with pytest.raises(Unsendable):
            build(mail(public_id=wrong))


PEOPLE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200)
BODY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\0"), max_size=3000)


@given(subject=PEOPLE, name=PEOPLE)
def test_any_subject_and_any_name_come_back_as_one_readable_line(subject, name):
    found = read(build(mail(subject=subject, to_name=name, from_name=name)))
    assert len(found["To"].addresses) == 1 and len(found["From"].addresses) == 1
    assert found["To"].addresses[0].addr_spec == "person1@example.com"
    plain = subject.strip()
    if not re.search("[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]", subject) and len(plain) < 300:
        assert found["Subject"] == plain
    assert "\n" not in str(found["Subject"])


@given(text=BODY, html=BODY.filter(bool), eightbit=st.booleans())
def test_any_body_comes_back(text, html, eightbit):
    made: Mail = mail(text=text, html=html)
    found = read(build(made, eightbit=eightbit))
    for kind, was in (("plain", text), ("html", html)):
        # `splitlines` of the standard library's reader knows more line ends than mail does.
        part = found.get_body((kind,))
        assert part is not None
        got = part.get_payload(decode=True).decode().replace("\r\n", "\n")
        assert got == (was if was.endswith("\n") else was + "\n")
