"""Mail over SMTP with the fence before the final dot: what has no dot, the receiver must throw away.

`Courier.run(letters, fence)` (see `letters` for the contract) drives several connections from one thread, so
that the caller's database connection serves them all, and the fences of those that wait together commit
together. A connection is used for message after message, between runs too.
"""

import time
from collections import deque
from collections.abc import Collection, Hashable, Iterable, Iterator
from contextlib import suppress
from select import POLLIN, POLLOUT, poll

from campaigns.delivery.channels.letters import Ending, Fence, Letter, Outcome
from campaigns.delivery.channels.smtp_conversation import Conversation
from campaigns.delivery.channels.smtp_line import Line, Lost, Server, Wait

__all__ = ["Courier", "Server"]

_TRIES = 3  # of one letter, as long as every failure came before its fence
_IDLE_SECONDS = 20.0
_LONGEST_TURN = 1.0


class Courier:
    """Carries letters to one server over at most `connections` connections. One thread at a time runs it."""

    def __init__(self, server: Server, connections: int = 8) -> None:
        self.server = server
        self.connections = connections
        self._idle: list[tuple[float, Line]] = []
        self._reset(())

    def _reset(self, letters: Iterable[Letter]) -> None:
        self._feed: Iterator[Letter] | None = iter(letters)
        self._returned: deque[tuple[Letter, str]] = deque()
        self._tries: dict[Hashable, int] = {}
        self._known: list[Outcome] = []
        self._talks: list[Conversation] = []
        self._proved = self._shrunk = False
        self._trouble: Exception | None = None
        self.stopped = ""  # why nothing may be begun any more

    def run(self, letters: Iterable[Letter], fence: Fence) -> Iterator[list[Outcome]]:
        self._reset(letters)
        try:
            while self._staff():
                self._turn(fence)
                if self._known:
                    known, self._known = self._known, []
                    yield known
            for letter, reason in self._returned:
                self.settle(Outcome(letter.key, Ending.UNREACHABLE, text=self.stopped or reason))
            if self._known:
                yield self._known
        finally:
            for talk in self._talks:
                talk.line.close()
        if self._trouble is not None:
            raise self._trouble

    def close(self) -> None:
        for _, line in self._idle:
            line.quit()
        self._idle.clear()

    # What the conversations ask for and report.

    def take(self) -> Letter | None:
        if self.stopped:
            return None
        if self._returned:
            return self._returned.popleft()[0]
        if self._feed is None:
            return None
        try:
            letter = next(self._feed, None)
        except Exception as error:  # noqa: BLE001 - raised again when what is under way has ended
            self._trouble, letter = error, None
        if letter is None:
            self._feed = None
        return letter

    def settle(self, outcome: Outcome) -> None:
        self._known.append(outcome)

    def hand_back(self, letter: Letter, reason: str) -> None:
        """Not sent, for certain: tried again, a few times, over whichever connection is free."""
        tried = self._tries[letter.key] = self._tries.get(letter.key, 0) + 1
        if tried < _TRIES:
            self._returned.append((letter, reason))
        else:
            self.settle(Outcome(letter.key, Ending.UNREACHABLE, text=reason))

    def give_up(self, letter: Letter) -> None:
        self.settle(Outcome(letter.key, Ending.UNREACHABLE, text=self.stopped))

    def connected(self) -> None:
        self._proved = True

    def connection_failed(self, letter: Letter, reason: str) -> None:
        """Go on with the connections there are; with none left, the run ends and the rest stays untouched."""
        self._returned.append((letter, reason))
        self._shrunk = True

    # The loop.

    def _staff(self) -> bool:
        """Put conversations to work: one first, the others when that one has got through."""
        if not self._talks and self._shrunk:
            return False
        wanted = self.connections if self._proved and not self._shrunk else 1
        while len(self._talks) < wanted and not self.stopped and (self._returned or self._feed is not None):
            talk = Conversation(self, self._line())
            self._talks.append(talk)
            self._advance(talk)
        return bool(self._talks)

    def _line(self) -> Line:
        while self._idle:
            since, line = self._idle.pop()
            if time.monotonic() - since < _IDLE_SECONDS and not line.is_stale():
                self._proved = True
                return line
            line.close()
        return Line(self.server)

    def _turn(self, fence: Fence) -> None:
        poller = poll()
        by_file: dict[int, Conversation] = {}
        waiting = False
        until = time.monotonic() + _LONGEST_TURN
        for talk in self._talks:
            if talk.wait is Wait.FENCE:
                waiting = True
                continue
            by_file[talk.line.fileno()] = talk
            poller.register(talk.line.fileno(), POLLIN if talk.wait is Wait.READ else POLLOUT)
            until = min(until, talk.line.deadline)
        ready = poller.poll(0 if waiting else max(0, (until - time.monotonic()) * 1000))
        for file, _ in ready:
            self._advance(by_file.pop(file))
        now = time.monotonic()
        for talk in by_file.values():
            if talk.line.deadline <= now:
                self._advance(talk, Lost("no answer in time"))
        self._ask(fence)

    def _ask(self, fence: Fence) -> None:
        waiting: list[tuple[Conversation, Letter]] = []
        for talk in [talk for talk in self._talks if talk.wait is Wait.FENCE]:
            if talk.line.is_stale():
                self._advance(talk, Lost("the server hung up before the fence"))
            elif talk.candidate is not None:
                waiting.append((talk, talk.candidate))
        if not waiting:
            return
        granted: Collection[Hashable] = ()
        if not self.stopped:
            try:
                granted = fence([letter for _, letter in waiting])
            except Exception as error:  # noqa: BLE001 - raised again when what is under way has ended
                self._trouble, self.stopped = error, f"the fence failed: {error}"
        for talk, letter in waiting:
            talk.granted = letter.key in granted
            if self.stopped:
                self.give_up(letter)
            elif not talk.granted:
                self.settle(Outcome(letter.key, Ending.NOT_FENCED))
            self._advance(talk)

    def _advance(self, talk: Conversation, lost: Lost | None = None) -> None:
        with suppress(StopIteration):
            talk.wait = talk.steps.throw(lost) if lost else next(talk.steps)
            return
        self._talks.remove(talk)
        if talk.line.is_open:
            self._idle.append((time.monotonic(), talk.line))
