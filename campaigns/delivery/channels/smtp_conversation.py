"""One connection's work, letter after letter: envelope, body without the dot, fence, dot, answer.

Where the server offers PIPELINING the next envelope travels with the dot: one round trip a message.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from campaigns.delivery import headers, mime
from campaigns.delivery.channels.letters import Ending, Letter, Outcome
from campaigns.delivery.channels.smtp_line import Line, Lost, Reply, Steps, Wait


class Desk(Protocol):
    """Where a conversation gets its letters and reports what became of them."""

    stopped: str  # why nothing may be begun any more, or empty

    def take(self) -> Letter | None: ...

    def settle(self, outcome: Outcome) -> None: ...

    def hand_back(self, letter: Letter, reason: str) -> None: ...

    def give_up(self, letter: Letter) -> None: ...

    def connected(self) -> None: ...

    def connection_failed(self, letter: Letter, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Parcel:
    letter: Letter
    envelope: tuple[bytes, bytes, bytes]
    body: bytes  # dot-stuffed, ends with CRLF, without the final dot


class Conversation:
    """One connection's work on letter after letter, as steps that the courier drives."""

    def __init__(self, courier: Desk, line: Line) -> None:
        self.courier = courier
        self.line = line
        self.steps = self._talk()
        self.wait: Wait | None = Wait.WRITE
        self.candidate: Letter | None = None  # stands before the fence
        self.granted = False

    @property
    def _pipelining(self) -> bool:
        return "PIPELINING" in self.line.features

    def _talk(self) -> Steps:
        parcel: Parcel | None = None
        announced = False
        while True:
            if self.courier.stopped:
                self.line.close()
                if parcel:
                    self.courier.give_up(parcel.letter)
                return
            if not self.line.is_open:
                letter = parcel.letter if parcel else self.courier.take()
                if letter is None:
                    return
                try:
                    yield from self.line.open()
                except Lost as lost:
                    self.line.close()
                    self.courier.connection_failed(letter, str(lost))
                    return
                self.courier.connected()
                parcel, announced = self._pack(letter), False
            parcel = parcel or self._next()
            if parcel is None:
                return
            parcel, announced = yield from self._deliver(parcel, announced)

    def _next(self) -> Parcel | None:
        while (letter := self.courier.take()) is not None:
            if (parcel := self._pack(letter)) is not None:
                return parcel
        return None

    def _pack(self, letter: Letter) -> Parcel | None:
        eightbit = "8BITMIME" in self.line.features
        try:
            content = mime.build(letter.mail, eightbit=eightbit)
            sender = headers.address(letter.envelope_from or letter.mail.from_address)
            recipient = headers.address(letter.mail.to_address)
            limit = self.line.features.get("SIZE", "")
            if limit.isdigit() and 0 < int(limit) < len(content):
                raise mime.Unsendable(f"{len(content)} octets are more than the server takes ({limit})")
        except mime.Unsendable as reason:
            self.courier.settle(Outcome(letter.key, Ending.UNSENDABLE, text=str(reason)))
            return None
        options = " BODY=8BITMIME" if eightbit else ""
        envelope = (
            f"MAIL FROM:<{sender}>{options}\r\n".encode("ascii"),
            f"RCPT TO:<{recipient}>\r\n".encode("ascii"),
            b"DATA\r\n",
        )
        # A message begins with its headers, so that no dot can stand in its first column.
        return Parcel(letter, envelope, content.replace(b"\r\n.", b"\r\n.."))

    def _deliver(self, parcel: Parcel, announced: bool) -> Generator[Wait, None, tuple[Parcel | None, bool]]:
        """One letter to its end. Returns the one to go on with, and whether its envelope was sent already."""
        line, letter = self.line, parcel.letter
        try:
            refusal = yield from self._announce(parcel, announced)
            if refusal is not None:
                self._judge(letter, refusal, fenced=False)
                return None, False
            line.allow(line.server.phase_seconds)
            yield from line.write(parcel.body)
        except Lost as lost:
            line.close()
            self.courier.hand_back(letter, str(lost))
            return None, False

        following = self._next()  # before the fence, so that nothing stands between the fence and the dot
        self.candidate, self.granted = letter, False
        try:
            yield Wait.FENCE
        except Lost as lost:
            line.close()
            self.courier.hand_back(letter, str(lost))
            return following, False
        finally:
            self.candidate = None
        if not self.granted:
            line.close()
            return following, False

        if line.is_stale():
            line.close()
            lost_in_time = "the server hung up before the dot"
            self.courier.settle(Outcome(letter.key, Ending.UNREACHABLE, text=lost_in_time, fenced=True))
            return following, False

        early = following.envelope if following and self._pipelining else ()
        try:
            line.allow(line.server.dot_seconds)
            yield from line.write(b"".join((b".\r\n", *early)))
            reply = yield from line.reply()
        except Lost as lost:
            line.close()
            self.courier.settle(Outcome(letter.key, Ending.UNKNOWN, text=str(lost), fenced=True))
            return following, False
        self._judge(letter, reply, fenced=True)
        if reply.code == 421:
            line.close()
        return following, bool(early) and line.is_open

    def _announce(self, parcel: Parcel, announced: bool) -> Generator[Wait, None, Reply | None]:
        """MAIL, RCPT, DATA. Returns the first no; the connection is then ready for the next, or closed."""
        line = self.line
        line.allow(line.server.phase_seconds)
        if self._pipelining and not announced:
            yield from line.write(b"".join(parcel.envelope))
        refusal: Reply | None = None
        try:
            for command in parcel.envelope:
                if not self._pipelining:
                    yield from line.write(command)
                reply = yield from line.reply()
                if not reply.positive:
                    refusal = refusal or reply
                    if reply.code == 421 or not self._pipelining:
                        break
            if refusal is None:
                if reply.code != 354:
                    raise Lost(f"DATA answered with {reply.code}")
                return None
            if refusal.code == 421 or reply.code == 354:
                line.close()  # it is about to hang up, or waits for a body that must not come
            else:
                yield from line.write(b"RSET\r\n")
                yield from line.reply()
        except Lost:
            if refusal is None:
                raise
            line.close()
        return refusal

    def _judge(self, letter: Letter, reply: Reply, *, fenced: bool) -> None:
        if 200 <= reply.code < 300:
            ending = Ending.SENT
        elif 400 <= reply.code < 500:
            ending = Ending.DEFERRED
        elif reply.code >= 500:
            ending = Ending.REFUSED
        else:
            ending = Ending.UNKNOWN
        kept = mime.message_id(letter.mail) if ending is Ending.SENT else ""
        self.courier.settle(Outcome(letter.key, ending, reply.code, reply.text, kept, fenced))
