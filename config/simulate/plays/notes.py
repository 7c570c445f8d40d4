"""What the stage of a replay wrote down while it ran: its settings, and all that it said and did besides what
was recorded. Plain facts; knows nothing of the program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256


def share(salt: str, *names: object) -> float:
    """A number in [0, 1) that is always the same for the same names."""
    said = "|".join([salt, *map(str, names)])
    return int.from_bytes(sha256(said.encode()).digest()[:6], "big") / (1 << 48)


Bought = tuple[str, int, tuple[str, ...]]
"""Person, Unix seconds, the products."""
Did = tuple[str, int, str, str]
"""Person, Unix seconds, pv, fav or cart, the product."""


@dataclass(frozen=True)
class Play:
    """A play as it was launched; `sender` is the address it alone writes from."""

    key: str
    label: str
    priority: int
    purpose: str
    sender: str


@dataclass(frozen=True)
class Limits:
    """What holds for all plays together, as the shop had it: seconds, hours of the day, numbers."""

    within: tuple[tuple[int, int], ...]
    allowed_from: int
    allowed_until: int
    answers_within: int
    offers_a_day: int


@dataclass(frozen=True)
class Letter:
    """One message as it arrived by SMTP, and when (Unix seconds)."""

    to: str
    at: int
    raw: bytes


@dataclass
class Notes:
    """Moments are Unix seconds, people and products are named as in the recording."""

    zone: str
    limits: Limits
    code_prefixes: tuple[str, ...]
    plays: list[Play] = field(default_factory=list)
    agreed: dict[str, tuple[int, set[str]]] = field(default_factory=dict)
    stopped: dict[tuple[str, str], int] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    visited: list[Did] = field(default_factory=list)
    clicked: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    stock: dict[str, list[tuple[int, bool]]] = field(default_factory=lambda: defaultdict(list))
    prices: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))

    def is_sold_out(self, item: str, at: int) -> bool:
        """By what the shop had said of it last."""
        known = [can_be_bought for when, can_be_bought in self.stock.get(item, ()) if when <= at]
        return bool(known) and not known[-1]


@dataclass(frozen=True)
class Recorded:
    """The raw file, read anew: what people bought, and what they did in the shop."""

    bought: tuple[Bought, ...]
    did: tuple[Did, ...]

    @staticmethod
    def of(bought: Iterable[Bought], did: Iterable[Did]) -> Recorded:
        return Recorded(tuple(bought), tuple(did))
