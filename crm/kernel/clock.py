"""The only place that asks what time it is.

Doors (admin, views, tasks, commands) call `now()` once and hand it on; everything inside takes `now` as an
argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta


class Hand:
    """The hand of a stopped clock: it stands until somebody moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = _aware(at)

    def advance(self, by: timedelta) -> datetime:
        self.at += by
        return self.at

    def set(self, at: datetime) -> datetime:
        self.at = _aware(at)
        return self.at


_here: ContextVar[Hand | None] = ContextVar("rekindle_clock", default=None)
_everywhere: list[Hand] = []


def now() -> datetime:
    """The present instant, aware and in UTC; the frozen one where a clock is stopped."""
    hand = _stopped()
    return hand.at if hand else datetime.now(UTC)


@contextmanager
def frozen(at: datetime, *, everywhere: bool = False) -> Iterator[Hand]:
    """Stop the clock at an instant.

    It stands still for this thread (or async task) alone, so that tests side by side do not move each other's
    time. With `everywhere` it stands still for all threads of the process that have not stopped their own: a
    replay drives servers that answer in other threads.
    """
    hand = Hand(at)
    if everywhere:
        _everywhere.append(hand)
        try:
            yield hand
        finally:
            _everywhere.remove(hand)
    else:
        token = _here.set(hand)
        try:
            yield hand
        finally:
            _here.reset(token)


def advance(by: timedelta) -> datetime:
    """Move the stopped clock; a running one is moved by nobody."""
    hand = _stopped()
    if hand is None:
        raise RuntimeError("the clock is running: stop it with clock.frozen(...) before moving it")
    return hand.advance(by)


def _stopped() -> Hand | None:
    here = _here.get()
    if here is not None:
        return here
    return _everywhere[-1] if _everywhere else None


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone; an instant needs one")
    return at.astimezone(UTC)
