"""Identifiers made in Python: ordered by time for our own rows, derived for identities from outside."""

from __future__ import annotations

import os
import secrets
import threading
import uuid
from datetime import UTC, datetime, timedelta

from crm.kernel import clock

NAMESPACE = uuid.UUID("5f0c7a52-0f0e-5b1b-9a6e-3c1d7f2b8e41")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TAIL_BITS = 74
_STEP_BITS = 32


class _Series:
    """The last identifier handed out, so that the next one of the same millisecond is larger."""

    def __init__(self) -> None:
        self.millisecond = -1
        self.tail = 0

    def next(self, millisecond: int) -> tuple[int, int]:
        if millisecond == self.millisecond:
            tail = self.tail + 1 + secrets.randbits(_STEP_BITS)
            if tail >> _TAIL_BITS:
                return self._begin(millisecond + 1)
            self.tail = tail
            return millisecond, tail
        return self._begin(millisecond)

    def _begin(self, millisecond: int) -> tuple[int, int]:
        # The highest bit stays free, so that a millisecond has room to count upwards.
        self.millisecond, self.tail = millisecond, secrets.randbits(_TAIL_BITS - 1)
        return self.millisecond, self.tail


class _State:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.present = _Series()
        self.given = _Series()


_state = _State()


def _forget() -> None:
    # A forked child must not continue its parent's series: both would count on from the same number.
    global _state
    _state = _State()


os.register_at_fork(after_in_child=_forget)


def uuid7(at: datetime | None = None) -> uuid.UUID:
    """A UUID of RFC 9562, version 7.

    Without `at` each is larger than the one before, within a process and whatever the clock does. With `at`
    it carries exactly that millisecond, as a backfill needs it, and grows within one millisecond.
    """
    millisecond = ((at or clock.now()) - _EPOCH) // _MILLISECOND
    if not 0 <= millisecond < 1 << 48:
        raise ValueError("a UUIDv7 cannot carry an instant before 1970")
    with _state.lock:
        if at is None:
            millisecond, tail = _state.present.next(max(millisecond, _state.present.millisecond))
        else:
            millisecond, tail = _state.given.next(millisecond)
    high, low = tail >> 62, tail & ((1 << 62) - 1)
    return uuid.UUID(int=millisecond << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def uuid_from(*parts: str) -> uuid.UUID:
    """The same UUID for the same outside identity, for instance ("shopify", "order", "4711")."""
    if not parts:
        raise ValueError("an identity needs at least one part")
    # Lengths keep ("ab", "c") and ("a", "bc") apart.
    return uuid.uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts))
