"""How long a question to the database may take: it is cancelled after that, and the transaction goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg import errors


class TookTooLong(Exception):
    """The database was asked to stop."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"It took longer than {seconds:g} seconds.")
        self.seconds = seconds


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Each statement inside takes at most so long. Raises TookTooLong, with nothing of it done."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()[0]
            _limit(cursor, f"{int(seconds * 1000)}")
            yield
            _limit(cursor, before)
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise TookTooLong(seconds) from error
        raise


def within[T](seconds: float, ask: Callable[[], T]) -> T | None:
    """The answer, or None where the database would take longer."""
    try:
        with at_most(seconds):
            return ask()
    except TookTooLong:
        return None


def _limit(cursor: object, value: str) -> None:
    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])  # type: ignore[attr-defined]
