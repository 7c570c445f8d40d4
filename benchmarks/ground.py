"""Servers and an empty database for one benchmark, as durable as in production, gone afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from config.embedded import places

NAME = "rekindle_bench"


@contextmanager
def ground() -> Iterator[dict[str, str]]:
    """Sets Django up on it. Yields the environment for child processes."""
    os.environ["REKINDLE_ENV_FILE"] = ""
    os.environ["REKINDLE_VAR"] = str(places.chosen(default=".bench-var").home)
    os.environ["REKINDLE_LOG_LEVEL"] = "WARNING"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    from config.embedded.services import HELD, Services

    services = Services(places.chosen(os.environ["REKINDLE_VAR"]))
    services.acquire()
    try:
        import django
        from django.conf import settings
        from django.test.utils import setup_databases, teardown_databases

        django.setup()
        settings.DATABASES["default"]["TEST"]["NAME"] = NAME
        made = setup_databases(verbosity=0, interactive=False)
        try:
            yield dict(os.environ) | {
                "DATABASE_URL": f"postgresql://rekindle@/{NAME}?host={services.places.sockets}&port=5432",
                "BROKER_URL": f"redis+socket://{services.places.valkey_socket}",
                HELD: "1",
            }
        finally:
            teardown_databases(made, verbosity=0)
    finally:
        services.release()
