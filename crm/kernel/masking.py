"""Addresses as the reader of a page may see them: whole, or with their first letter alone.

Who reads is said around a page by `reading`; outside of pages (exports, messages, jobs) addresses are whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_HIDDEN = "•••"
_masks: ContextVar[Callable[[], bool] | None] = ContextVar("masks", default=None)


@contextmanager
def reading(masks: Callable[[], bool]) -> Iterator[None]:
    """Within it addresses are masked where `masks` says so; it is asked only where there is an address."""
    token = _masks.set(masks)
    try:
        yield
    finally:
        _masks.reset(token)


@contextmanager
def whole() -> Iterator[None]:
    """Within it addresses are whole: what is written down there is read by others."""
    token = _masks.set(None)
    try:
        yield
    finally:
        _masks.reset(token)


def is_on() -> bool:
    """Whether whoever reads now sees addresses masked."""
    masks = _masks.get()
    return masks is not None and masks()


def told(address: str) -> str:
    """An address as it is shown to whoever reads now."""
    return hidden(address) if address and is_on() else address


def hidden(address: str) -> str:
    """a•••@d•••.example, +49•••••67."""
    name, at, domain = address.rpartition("@")
    if at:
        first, dot, last = domain.rpartition(".")
        return f"{name[:1]}{_HIDDEN}@{(first or last)[:1]}{_HIDDEN}{dot}{last if dot else ''}"
    return f"{address[:3]}{_HIDDEN}••{address[-2:]}" if len(address) > 7 else _HIDDEN
