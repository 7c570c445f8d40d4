"""What every test may count on: real servers for the run, a clean broker, a browser where there is one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
pytest_plugins = ("tests.collecting", "tests.office", "tests.webbing")
RUN = pytest.StashKey[servers.Run]()
SKIPPED = pytest.StashKey[int]()


def chromium_path() -> str | None:
    """A Chromium of the machine; CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    from config.celery import app

    if config.option.collectonly or hasattr(config, "workerinput"):
        return
    run = config.stash[RUN] = servers.begin()
    settings.DATABASES["default"]["TEST"]["NAME"] = run.database
    settings.CELERY_BROKER_URL = app.conf.broker_url = run.broker_url
    settings.CACHES["default"]["LOCATION"] = run.cache_url


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run:
        run.end()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if chromium_path():
        return
    without = [item for item in items if item.get_closest_marker("browser")]
    for item in without:
        item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))
    config.stash[SKIPPED] = len(without)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if number := config.stash.get(SKIPPED, 0):
        terminalreporter.write_line(
            f"NOTICE: {number} browser tests did not run: no Chromium was found (CHROMIUM=/path names one)."
        )


@pytest.fixture(scope="session")
def servers_run(pytestconfig: pytest.Config) -> servers.Run:
    return pytestconfig.stash[RUN]


@pytest.fixture
def child_environment(servers_run: servers.Run) -> dict[str, str]:
    """For subprocesses that shall work on this run's test database; the test needs transaction=True."""
    return servers_run.environment()


@pytest.fixture
def clean_broker(servers_run: servers.Run) -> Iterator[None]:
    """Nothing waits in the broker or the cache before the test, and nothing stays there after it."""
    import redis

    urls = (
        servers_run.cache_url,
        servers_run.broker_url.replace("redis+socket", "unix").replace("virtual_host", "db"),
    )

    def empty() -> None:
        for url in urls:
            with redis.Redis.from_url(url) as connection:
                connection.flushdb()

    empty()
    yield
    empty()
