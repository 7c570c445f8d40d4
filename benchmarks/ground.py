"""Servers for one benchmark, as durable as in production: with an empty database, or with seeded ones kept
for the next run.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.embedded import places

if TYPE_CHECKING:
    from config.embedded.services import Services

NAME = "rekindle_bench"


@contextmanager
def servers() -> Iterator["Services"]:
    """The local servers, and Django set up on them."""
    os.environ["REKINDLE_ENV_FILE"] = ""
    os.environ["REKINDLE_VAR"] = str(places.chosen(default=".bench-var").home)
    os.environ["REKINDLE_LOG_LEVEL"] = "WARNING"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    from config.embedded.services import Services

    services = Services(places.chosen(os.environ["REKINDLE_VAR"]))
    services.acquire()
    try:
        import django

        django.setup()
        yield services
    finally:
        services.release()


def address(services: "Services", name: str) -> str:
    return f"postgresql://rekindle@/{name}?host={services.places.sockets}&port=5432"


@contextmanager
def ground() -> Iterator[dict[str, str]]:
    """An empty database, gone afterwards. Yields the environment for child processes."""
    from config.embedded.services import HELD

    with servers() as services:
        from django.conf import settings
        from django.test.utils import setup_databases, teardown_databases

        settings.DATABASES["default"]["TEST"]["NAME"] = NAME
        made = setup_databases(verbosity=0, interactive=False)
        try:
            yield dict(os.environ) | {
                "DATABASE_URL": address(services, NAME),
                "BROKER_URL": f"redis+socket://{services.places.valkey_socket}",
                HELD: "1",
            }
        finally:
            teardown_databases(made, verbosity=0)


def seeded(services: "Services", contacts: int) -> None:
    """Django's connection on the kept database of that many people: migrated, and filled where it is not."""
    import psycopg
    from django.core.management import call_command
    from django.db import connection

    from benchmarks import derived, seeding

    name, marks = f"{NAME}_{contacts}", [seeding.mark(), derived.mark()]
    connection.close()
    connection.settings_dict["NAME"] = name
    with psycopg.connect(address(services, "postgres"), autocommit=True) as server:
        held = server.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        had = ((held and held[0]) or " ").split(" ")
        if had[0] != marks[0]:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{name}"')
        call_command("migrate", verbosity=0)
        if had[0] != marks[0]:
            seeding.fill(seeding.Size(contacts), address(services, name))
        if had != marks:
            # Whatever is killed halfway is begun anew the next time.
            server.execute(f"COMMENT ON DATABASE \"{name}\" IS ''")
            derived.derive(address(services, name))
            server.execute(f"COMMENT ON DATABASE \"{name}\" IS '{' '.join(marks)}'")
