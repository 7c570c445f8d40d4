"""One at a time: who reads raw rows, and who counts anew what was read."""

from django.db import connection

_LOCK = 7_226_001


def take() -> bool:
    """Whether this transaction has the turn; another one may hold it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return cursor.fetchone()[0]


def wait() -> None:
    """Have the turn until this transaction ends, however long the one before takes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
