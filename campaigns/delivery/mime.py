"""From a rendered message to the bytes of one mail, in a few hundred microseconds and without surprises.

`build` knows one shape only: plain text, or text and HTML as alternatives, for one person. Hand-made, since
Django's and the standard library's builders cost ten to forty times as much; the tests read the result
back with the standard library and compare.
"""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from campaigns.delivery import headers

Unsendable = headers.Unsendable


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person, rendered; nothing in it is trusted."""

    public_id: str
    to_address: str
    from_address: str
    subject: str
    text: str
    date: datetime
    html: str = ""
    to_name: str = ""
    from_name: str = ""
    reply_to_name: str = ""
    reply_to_address: str = ""
    list_unsubscribe_url: str = ""
    list_unsubscribe_mailto: str = ""  # an address
    message_id: str = ""  # without angle brackets; made of public_id and the sender's domain when empty
    headers: Mapping[str, str] = field(default_factory=dict)


def message_id(mail: Mail) -> str:
    """`public-id@sender-domain`: the key by which bounces, replies and provider events find the delivery."""
    made = mail.message_id or f"{mail.public_id}@{headers.address(mail.from_address).rpartition('@')[2]}"
    return headers.address(made)


def unsubscribe_headers(mail: Mail) -> dict[str, str]:
    """RFC 2369 and, where there is a link to post to, RFC 8058."""
    targets = []
    if mail.list_unsubscribe_url:
        targets.append(headers.link(mail.list_unsubscribe_url))
    if mail.list_unsubscribe_mailto:
        address = headers.address(mail.list_unsubscribe_mailto)
        targets.append(headers.link(f"mailto:{address}?subject=unsubscribe", ("mailto:",)))
    if not targets:
        return {}
    found = {"List-Unsubscribe": ",\r\n ".join(targets)}
    if mail.list_unsubscribe_url:
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found


def build(mail: Mail, *, eightbit: bool = False) -> bytes:
    """The whole message, lines ended by CRLF, nothing over 998 octets; raises `Unsendable`.

    `eightbit` says that the receiver offered 8BITMIME; else whatever is not short ASCII is quoted-printable.
    """
    public_id = mail.public_id
    if not public_id or not public_id.replace("-", "").isalnum() or not public_id.isascii():
        raise Unsendable("a message needs its delivery's public id")
    lines = [
        f"Date: {format_datetime(mail.date)}\r\n"
        f"From: {headers.mailbox(mail.from_name, mail.from_address)}\r\n"
        f"To: {headers.mailbox(mail.to_name, mail.to_address)}\r\n"
        f"Subject: {headers.unstructured(mail.subject)}\r\n"
        f"Message-ID: <{message_id(mail)}>\r\n"
        f"X-Rekindle-Delivery: {public_id}\r\n"
        "Auto-Submitted: auto-generated\r\n"
    ]
    if mail.reply_to_address:
        lines.append(f"Reply-To: {headers.mailbox(mail.reply_to_name, mail.reply_to_address)}\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in unsubscribe_headers(mail).items()]
    lines += [headers.extra(name, value) for name, value in mail.headers.items()]
    lines.append("MIME-Version: 1.0\r\n")
    if not mail.html:
        return b"".join(("".join(lines).encode("ascii"), *_part("plain", mail.text, eightbit)))
    boundary = f"=_{public_id.replace('-', '')}"
    lines.append(f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n--{boundary}\r\n')
    return b"".join(
        (
            "".join(lines).encode("ascii"),
            *_part("plain", mail.text, eightbit, boundary),
            f"\r\n--{boundary}\r\n".encode("ascii"),
            *_part("html", mail.html, eightbit, boundary),
            f"\r\n--{boundary}--\r\n".encode("ascii"),
        )
    )


def _part(kind: str, content: str, eightbit: bool, boundary: str = "") -> tuple[bytes, bytes]:
    if "\r" in content:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
    if not content.endswith("\n"):
        content += "\n"
    octets = content.replace("\0", "").encode("utf-8", "replace")
    literal = len(octets) == len(content)
    # "=_" never stands in quoted-printable text, so that there no content can hold the boundary.
    if (eightbit or literal) and _short_lined(octets) and not (boundary and boundary in content):
        encoding = "7bit" if literal else "8bit"
    else:
        encoding, octets = "quoted-printable", binascii.b2a_qp(octets, istext=True)
    head = (
        f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    ).encode("ascii")
    return head, octets.replace(b"\n", b"\r\n")


def _short_lined(octets: bytes) -> bool:
    if len(octets) <= headers.LONGEST_LINE:
        return True
    return max(map(len, octets.split(b"\n"))) <= headers.LONGEST_LINE
