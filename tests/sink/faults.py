"""Rules of misbehaviour: at which phase, for whom, how often, and what then happens."""

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule. SMTP phases: connect, ehlo, auth, mail, rcpt, data, body, dot. HTTP phase: post.

    `reply` answers so instead; `drop` closes the connection without a reply; `delay` waits first.
    At `dot` and `post`, `keep` says whether the message was accepted all the same (the reply never tells).
    """

    phase: str
    reply: str = ""
    drop: bool = False
    delay: float = 0.0
    keep: bool = False
    percent: float = 100.0
    recipient: str = "*"
    times: int | None = None  # at most so many times, then never again


class Faults:
    """Chooses by a seeded hash of (rule, occurrence): the same seed and order give the same faults."""

    def __init__(self, rules: Iterable[Fault] = (), seed: int = 1) -> None:
        self.rules = list(rules)
        self.seed = seed
        self.fired = 0
        self._asked: dict[Fault, int] = {}
        self._used: dict[Fault, int] = {}
        self._lock = threading.Lock()

    def at(self, phase: str, recipient: str = "") -> Fault | None:
        if not self.rules:
            return None
        with self._lock:
            for rule in self.rules:
                if rule.phase == phase and fnmatchcase(recipient, rule.recipient) and self._fires(rule):
                    self.fired += 1
                    return rule
        return None

    def _fires(self, rule: Fault) -> bool:
        asked = self._asked[rule] = self._asked.get(rule, 0) + 1
        used = self._used.get(rule, 0)
        if rule.times is not None and used >= rule.times:
            return False
        digest = hashlib.blake2b(f"{self.seed}:{rule}:{asked}".encode(), digest_size=4).digest()
        if int.from_bytes(digest) / 2**32 * 100 >= rule.percent:
            return False
        self._used[rule] = used + 1
        return True
