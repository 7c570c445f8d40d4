"""Statements of the outbox, prepared once a connection: long, run often, whole batches as arrays.

They bypass Django's cursor, which neither prepares nor binds on the server; the connection is Django's.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

LOST = (OperationalError, InterfaceError)
_LONGEST_PAUSE = 5.0
# With none at all, as Django leaves it, the driver prepares nothing, not even what is asked for.
_ONLY_ASKED_FOR = sys.maxsize


def run(statement: str, values: Mapping[str, Any], *, prepared: bool = True) -> list[tuple[Any, ...]]:
    """Run one statement, a transaction of its own where none is open, and return its rows.

    Planning one that asks every guard takes ten times as long as running it for a few messages: it is planned
    once. Not `prepared` is one whose best plan depends on its values.
    """
    connection.ensure_connection()
    # Django's own switch for connections that a pooler shares out by transaction.
    prepared = prepared and not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
    driver = connection.connection
    if prepared and driver.prepare_threshold is None:
        driver.prepare_threshold = _ONLY_ASKED_FOR
    with connection.wrap_database_errors, psycopg.Cursor(driver) as cursor:
        cursor.execute(statement, values, prepare=prepared)
        return cursor.fetchall() if cursor.description else []


def literal(value: object) -> str:
    """A constant as it is written into a statement, its percent signs doubled because parameters follow."""
    connection.ensure_connection()
    return psycopg.sql.Literal(value).as_string(connection.connection).replace("%", "%%")


def columns(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Rows turned into one array a column, as `unnest` takes them."""
    turned = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: list(values) for name, values in zip(names, turned, strict=True)}


def forget_connection() -> None:
    """After an error of the connection itself: the next statement opens a new one."""
    if not connection.in_atomic_block:
        connection.close()


def insist[T](work: Callable[[], T], what: str) -> T:
    """Try until the database answers, for as long as this process lives. Only for what may be done twice."""
    pause = 0.1
    while True:
        try:
            return work()
        except LOST as error:
            if connection.in_atomic_block:
                raise
            logger.warning("%s waits for the database: %s", what, str(error).strip())
            forget_connection()
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
