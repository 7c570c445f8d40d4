"""The database of a test run: migrated once for each state of the code, then copied, which takes a blink.

The migrated one stays in the tests' PostgreSQL from run to run. Its name carries a digest of all that decides
what migrating leaves behind, so that a changed program is migrated anew.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from config.embedded.places import CLONE
from tests.servers import DATABASE, Run

APPS = ("crm", "tracking", "campaigns", "config")
PREFIX = "template_rekindle_"
DRAFT = "draft_rekindle"
KEPT = "kept"


def make(run: Run) -> None:
    """The database as new; one that a killed run left is gone."""
    template = PREFIX + digest()
    with _server(run) as server:
        known = [name for (name,) in server.execute("SELECT datname FROM pg_database").fetchall()]
        if template not in known:
            _migrate(server, template)
            for old in known:
                if old.startswith(PREFIX):
                    server.execute(f'DROP DATABASE "{old}"')
        server.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{DATABASE}" TEMPLATE "{template}"')
    connection.settings_dict["NAME"] = DATABASE


def remember() -> None:
    """Keep aside what a database has from the start, for `renew`."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {KEPT}")
        for table in _filled(cursor, _tables(cursor)):
            cursor.execute(f'CREATE TABLE {KEPT}."{table}" AS TABLE public."{table}"')


def renew() -> None:
    """After a test that committed: as it was from the start. Django's own way empties every table there is
    and seeds anew, half a second each time; only a few tables hold anything.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # in any order, without triggers
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [KEPT])
        kept = [name for (name,) in cursor.fetchall()]
        changed = _filled(cursor, _tables(cursor) - set(kept))
        statements = [f'TRUNCATE public."{table}" CASCADE' for table in _large(cursor, changed)]
        statements += [f'DELETE FROM public."{table}"' for table in (*changed, *kept)]
        statements += [f'INSERT INTO public."{table}" TABLE {KEPT}."{table}"' for table in kept]
        cursor.execute(";".join(statements))


def _tables(cursor: CursorWrapper) -> set[str]:
    return set(connection.introspection.table_names(cursor)) - {"django_migrations"}


def _filled(cursor: CursorWrapper, tables: Iterable[str]) -> list[str]:
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM public.\"{table}\")" for table in sorted(tables))
    cursor.execute(" UNION ALL ".join(asked))
    return [name for (name,) in cursor.fetchall()]


def _large(cursor: CursorWrapper, tables: list[str]) -> list[str]:
    """Those where rows that were deleted would be in the way of the tests to come."""
    asked = "SELECT name FROM unnest(%s::text[]) name WHERE pg_relation_size(name::regclass) > 2000000"
    cursor.execute(asked, [tables])
    return [name for (name,) in cursor.fetchall()]


def drop(run: Run) -> None:
    """Fails when somebody still uses it: a test has left a process or a thread behind."""
    connection.close()
    with _server(run) as server:
        server.execute(f'DROP DATABASE "{DATABASE}"')


def digest() -> str:
    """Of the program and of what it is built on. Seeds and data migrations may call any of it."""
    hashed = hashlib.sha256()
    sources = [path for app in APPS for path in (CLONE / app).rglob("*.py")]
    for path in sorted([*sources, CLONE / "requirements.txt", CLONE / "tests" / "settings.py"]):
        hashed.update(f"{path.relative_to(CLONE)}\0".encode() + path.read_bytes())
    return hashed.hexdigest()[:16]


def _migrate(server: psycopg.Connection, name: str) -> None:
    """Under another name first: a killed run leaves no half-migrated one to be copied."""
    server.execute(f'DROP DATABASE IF EXISTS "{DRAFT}" WITH (FORCE)')
    connection.settings_dict["TEST"]["NAME"] = DRAFT
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    server.execute(f'ALTER DATABASE "{DRAFT}" RENAME TO "{name}"')


@contextmanager
def _server(run: Run) -> Iterator[psycopg.Connection]:
    address = f"host={run.services.places.sockets} port=5432 user=rekindle dbname=postgres"
    with psycopg.connect(address, autocommit=True) as server:
        yield server
