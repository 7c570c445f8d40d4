"""H1: nothing that a person typed, or a shop sent, becomes a header, a recipient or a second message."""

import re
from email import message_from_bytes, policy

import pytest

from campaigns.delivery.channels.letters import Ending, Letter
from campaigns.delivery.channels.smtp import Courier, Server
from tests.campaigns.letters import mail, outcomes
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.proof

SECOND = "MAIL FROM:<evil@evil.test>\r\nRCPT TO:<evil@evil.test>\r\nDATA\r\nSubject: 2\r\n\r\nhi\r\n.\r\n"
BREAKS = ["\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "\r\r\n", "\0", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]
BREAKS += ["%0d%0a", "\\r\\n", "=?utf-8?q?=0d=0a?=", "=?utf-8?B?DQo=?=", "\u560d\u560a"]
TAILS = ["Bcc: evil@evil.test", "To: evil@evil.test", "From: ceo@bank.test", "Content-Type: text/html"]
TAILS.append(".\r\n" + SECOND)
PAYLOADS = [f"Ana{gap}{tail}" for gap in BREAKS for tail in TAILS]
PAYLOADS += [
    "x" * 5000,
    "ü" * 5000,
    "=?" * 900,
    "\ud800",
    '"><evil@evil.test>',
    "a, b@evil.test",
    "\\",
    '"',
    "\u202egnp.exe",
]

SMUGGLING = [
    "\n.\n",
    "\n.\r\n",
    "\r.\r",
    "\r.\r\n",
    "\r\n.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r\n\0.\r\n",
    ".",
    "\r\n.",
    "\n.",
]
ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "X-Rekindle-Delivery")
KNOWN = {name.lower() for name in ONCE} | {
    "auto-submitted", "reply-to", "list-unsubscribe", "list-unsubscribe-post", "x-note",
    "content-transfer-encoding",
}  # fmt: skip


def send(carried: list[Letter]) -> tuple[dict, list]:
    with SmtpSink() as sink:
        found = outcomes(Courier(Server("127.0.0.1", sink.port), 4), carried)
        return found, sink.accepted()


def check(raw: bytes, envelope: str) -> None:
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    found = message_from_bytes(raw, policy=policy.default)
    assert {name.lower() for name in found} <= KNOWN
    for name in ONCE:
        assert len(found.get_all(name)) == 1
    assert [one.addr_spec for one in found["To"].addresses] == [envelope]
    assert [one.addr_spec for one in found["From"].addresses] == ["anna@shop.test"]
    for name, value in found.items():
        assert "\n" not in value.replace(",\n", "") and "\r" not in value, name


@pytest.mark.parametrize("field", ["subject", "to_name", "from_name", "reply_to_name"])
def test_whatever_people_typed_stays_inside_its_field(field):
    carried = [
        Letter(number, mail(number, **{"reply_to_address": "anna@shop.test", field: payload}))
        for number, payload in enumerate(PAYLOADS, 1)
    ]
    found, accepted = send(carried)
    assert {outcome.ending for outcome in found.values()} == {Ending.SENT}
    assert len(accepted) == len(PAYLOADS)
    for one in accepted:
        assert one.sender == "anna@shop.test" and "evil" not in one.recipient
        check(one.raw, one.recipient)


@pytest.mark.parametrize(
    "field",
    ["to_address", "from_address", "reply_to_address", "list_unsubscribe_url", "list_unsubscribe_mailto",
     "message_id", "public_id"],
)  # fmt: skip
def test_whatever_must_be_exact_is_refused(field):
    good = "https://m.shop.test/u/" if field.endswith("url") else "ana@example.com"
    real = [gap for gap in BREAKS if len(gap) <= 3 and not gap.isprintable()]
    payloads = [f"{good}{gap}{tail}" for gap in real for tail in TAILS]
    found, accepted = send([Letter(n, mail(n, **{field: bad})) for n, bad in enumerate(payloads, 1)])
    assert {outcome.ending for outcome in found.values()} == {Ending.UNSENDABLE}
    assert accepted == []


def test_own_headers_are_neither_torn_nor_taken_over():
    bad = [{"X-Note": f"ok{gap}{tail}"} for gap in BREAKS[:12] for tail in TAILS]
    bad += [
        {name: "x"} for name in ("Bcc", "from", "TO", "Content-Type", "X-Rekindle-Delivery", "DKIM-Signature")
    ]
    bad += [{name: "x"} for name in ("", "X Note", "X-Note:", "X\r\nBcc", "Ünicode", "Resent-To", "Received")]
    found, accepted = send([Letter(n, mail(n, headers=one)) for n, one in enumerate(bad, 1)])
    assert {outcome.ending for outcome in found.values()} == {Ending.UNSENDABLE}
    assert accepted == []
    good = [{"X-Note": value} for value in ("plain", "Grüße", "=?utf-8?B?DQo=?=", "long " * 500)]
    found, accepted = send([Letter(n, mail(n, headers=one)) for n, one in enumerate(good, 1)])
    assert len(accepted) == len(good)
    for one in accepted:
        check(one.raw, one.recipient)


def test_no_body_smuggles_a_second_message():
    bodies = [f"hello{gap}{SECOND}" for gap in SMUGGLING] + [gap + SECOND for gap in SMUGGLING]
    carried = [Letter(n, mail(n, text=body, html=body)) for n, body in enumerate(bodies, 1)]
    carried += [Letter(n + 100, mail(n + 100, text=body, html="")) for n, body in enumerate(bodies, 1)]
    found, accepted = send(carried)
    assert {outcome.ending for outcome in found.values()} == {Ending.SENT}
    assert len(accepted) == len(carried)
    assert {one.sender for one in accepted} == {"anna@shop.test"}
    for one in accepted:
        check(one.raw, one.recipient)
