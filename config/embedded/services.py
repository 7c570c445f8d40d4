"""Local PostgreSQL and Valkey from wheels, lent to whoever runs a command when no URLs are given."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def borrowed_for(argv: Sequence[str]) -> Iterator[None]:
    yield
