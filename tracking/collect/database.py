"""Connections of the collector: those of the settings, held by an asynchronous pool, without the ORM."""

from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

# Options that mean something to Django alone.
_DJANGO_ONLY = {"assume_role", "isolation_level", "server_side_binding", "pool"}


def pool(size: int = 4) -> AsyncConnectionPool:
    """Not yet open: that needs a running loop."""
    return AsyncConnectionPool(
        kwargs=_parameters(),
        min_size=2,
        max_size=size,
        open=False,
        timeout=5,
        configure=_configure,
        name="collect",
    )


def _parameters() -> dict[str, Any]:
    database = settings.DATABASES["default"]
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {name: database.get(key) for name, key in named.items()}
    options = {name: value for name, value in database.get("OPTIONS", {}).items() if name not in _DJANGO_ONLY}
    return {name: value for name, value in given.items() if value} | options | {"autocommit": True}


async def _configure(connection: psycopg.AsyncConnection) -> None:
    if role := settings.DATABASES["default"].get("OPTIONS", {}).get("assume_role"):
        await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
