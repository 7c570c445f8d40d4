"""How a tick works: batch after batch, within its time, and stopping between two batches when asked to."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from time import monotonic
from types import FrameType
from typing import Any

_stop = threading.Event()


def stopping() -> bool:
    """Whether this process has been asked to end: finish the batch in hand and take no other."""
    return _stop.is_set()


def stop() -> None:
    """Ask every loop of this process to end after its batch."""
    _stop.set()


def pause(seconds: float) -> bool:
    """Wait, but not past the request to end. Returns whether to go on."""
    return not _stop.wait(max(seconds, 0))


def install_sigterm() -> None:
    """Let SIGTERM ask the loops to end, and then do what it did before. Only in the main thread."""
    before = signal.getsignal(signal.SIGTERM)

    def on_sigterm(number: int, frame: FrameType | None) -> Any:
        stop()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, on_sigterm)


class Budget:
    """How long a tick may take. True while there is time left and nobody has asked the process to end."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._began = monotonic()

    @property
    def spent(self) -> float:
        return monotonic() - self._began

    @property
    def left(self) -> float:
        return max(self.seconds - self.spent, 0.0)

    def __bool__(self) -> bool:
        return self.left > 0 and not stopping()


def batches[T](claim: Callable[[], Sequence[T]], budget: Budget) -> Iterator[Sequence[T]]:
    """Claim batch after batch until nothing is due or the budget is spent; the first one is always tried."""
    while batch := claim():
        yield batch
        if not budget:
            return


def in_batches[T](rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """What is already at hand, in lists of at most `size`."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch
