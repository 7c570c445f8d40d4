"""The mailbox of the sample shop's people: an SMTP server that keeps every message and sends none on."""

import json
import secrets
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from crm.kernel import clock

INDEX = "index.jsonl"
LARGEST_MESSAGE = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One message in the index; `name` is its file without the suffix and sorts by arrival."""

    name: str
    received_at: str
    mail_from: str
    rcpt_to: tuple[str, ...]
    sender: str
    to: str
    subject: str
    preview: str


class Mailbox:
    """Messages in a folder: one `.eml` file each, and an index that can be rebuilt from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._load()

    def _load(self) -> None:
        index = self.folder / INDEX
        if index.exists():
            for line in index.read_text(encoding="utf-8", errors="replace").splitlines():
                entry = _read_entry(line)
                if entry and (self.folder / f"{entry.name}.eml").exists():
                    self._entries[entry.name] = entry
        lost = [path for path in sorted(self.folder.glob("*.eml")) if path.stem not in self._entries]
        for path in lost:
            self._entries[path.stem] = describe(path.stem, path.read_bytes(), "", ())
        if lost:
            self._entries = dict(sorted(self._entries.items()))

    def store(self, raw: bytes, mail_from: str, rcpt_to: Sequence[str], received_at: datetime) -> Entry:
        """Keep one message. It is on disk before this returns, and the sender gets its 250 after."""
        name = f"{received_at:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}"
        entry = describe(name, raw, mail_from, rcpt_to)
        half = self.folder / f".{name}"
        half.write_bytes(raw)
        with self._lock:
            half.rename(self.folder / f"{name}.eml")
            with (self.folder / INDEX).open("a", encoding="utf-8") as index:
                index.write(json.dumps(asdict(entry)) + "\n")
            self._entries[name] = entry
        return entry

    def newest(self, wanted: str = "") -> list[Entry]:
        """Newest first; with `wanted`, those that mention it in sender, recipient or subject."""
        with self._lock:
            entries = list(reversed(self._entries.values()))
        needle = wanted.casefold()
        return [
            e for e in entries if needle in f"{e.to} {e.sender} {e.subject} {' '.join(e.rcpt_to)}".casefold()
        ]

    def entry(self, name: str) -> Entry | None:
        with self._lock:
            return self._entries.get(name)

    def raw(self, name: str) -> bytes | None:
        """A message as it came, or None; only names the index knows are read."""
        return (self.folder / f"{name}.eml").read_bytes() if self.entry(name) else None

    def clear(self) -> None:
        with self._lock:
            for path in (*self.folder.glob("*.eml"), self.folder / INDEX):
                path.unlink(missing_ok=True)
            self._entries.clear()


def _read_entry(line: str) -> Entry | None:
    """One line of the index; a line cut short by a crash is no entry."""
    try:
        values = json.loads(line)
        return Entry(**{**values, "rcpt_to": tuple(values["rcpt_to"])})
    except (ValueError, TypeError, KeyError):
        return None


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def describe(name: str, raw: bytes, mail_from: str, rcpt_to: Sequence[str]) -> Entry:
    message = parsed(raw)
    return Entry(
        name=name,
        received_at=f"{name[0:4]}-{name[4:6]}-{name[6:8]}T{name[9:11]}:{name[11:13]}:{name[13:15]}Z",
        mail_from=mail_from,
        rcpt_to=tuple(rcpt_to),
        sender=header(message, "From"),
        to=header(message, "To"),
        subject=header(message, "Subject"),
        preview=" ".join(body(message, "plain").split())[:160],
    )


def header(message: EmailMessage, name: str) -> str:
    """A header as text; one that cannot be read is empty rather than an error."""
    try:
        return str(message.get(name, ""))
    except (ValueError, TypeError, IndexError, AttributeError):
        return ""


def body(message: EmailMessage, kind: str) -> str:
    """The message's `plain` or `html` text, or nothing."""
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError, KeyError):
        return (part.get_payload(decode=True) or b"").decode("utf-8", "replace")  # type: ignore[union-attr]


def shown_name(address_header: str) -> str:
    name, address = parseaddr(address_header)
    return name or address


class Keeper:
    """aiosmtpd's handler: everything offered is kept."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        try:
            self.mailbox.store(raw, envelope.mail_from or "", envelope.rcpt_tos, clock.now())
        except OSError as error:
            return f"451 4.3.0 could not be kept: {error.strerror}"
        return "250 2.0.0 kept"


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """The base class knocks at the asked-for port; port 0 is another one by now."""
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            data_size_limit=LARGEST_MESSAGE,
            enable_SMTPUTF8=True,
            hostname="inbox.localhost",
            ident="inbox",
        )


def smtp_server(mailbox: Mailbox, bind: str, port: int) -> Any:
    """A server over the mailbox; `start()` returns when it listens, `stop()` when it no longer does."""
    return _Controller(Keeper(mailbox), hostname=bind, port=port)
