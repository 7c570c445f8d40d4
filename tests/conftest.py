"""What every test may count on: real servers for the run, a clean broker, a browser where there is one."""

import gc
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest
from django.apps import apps
from django.db.models.signals import post_migrate
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests import leftovers, servers, slots

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
pytest_plugins = ("tests.collecting", "tests.office", "tests.webbing")
BROWSER = "tests/browser/"
# Whatever they take: a browser's tests, and the whole stories of the plays.
PROOFS = (BROWSER, "tests/journeys/")
# With -n these begin first and in this order: so no process waits at the end for a long file of another one,
# and a run that is given too little time (--until) has proved what matters most.
FIRST = (
    "tests/browser/test_newcomers_walk.py",
    "tests/browser/test_sales_day.py",
    "tests/browser/test_u1_crawl.py",
    BROWSER,
    "tests/races/",
    "tests/attacks/",
    "tests/journeys/",
    "tests/config/test_up.py",
    "tests/crm/test_one_meaning.py",
)
RUN = pytest.StashKey[servers.Run]()
NO_CHROMIUM = "no Chromium on this machine"
NO_TIME = "the time this run was given is over"

# Property tests try the same examples every time, so that what turns red is what was changed; `make chaos`
# tries new ones (--hypothesis-profile=new). How fast they are made says nothing about the product.
for name, same in (("same", True), ("new", False)):
    settings.register_profile(
        name, derandomize=same, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
settings.load_profile("same")


def chromium_path() -> str | None:
    """A Chromium of the machine; CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--until", type=float, metavar="SECONDS", help="begin no test after this moment (seconds since 1970)"
    )


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    from config.celery import app

    signal.signal(signal.SIGTERM, _interrupt)
    if config.option.collectonly or config.option.dist != "no":
        # With -n it is the workers who need a slot. They inherit the environment, which must not name ours.
        settings.SLOT.give_back()
        del os.environ["REKINDLE_VAR"]
        return
    run = config.stash[RUN] = servers.begin(settings.SLOT)
    settings.CELERY_BROKER_URL = app.conf.broker_url = run.broker_url
    settings.CACHES["default"]["LOCATION"] = run.cache_url


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """A run that is told to stop, by a time-out for one, ends like one that is interrupted: it clears up."""
    raise KeyboardInterrupt


def pytest_unconfigure(config: pytest.Config) -> None:
    from django.conf import settings

    if run := config.stash.get(RUN, None):
        run.end()
    elif not hasattr(config, "workerinput"):
        slots.sweep(settings.SLOT.home.parent)  # workers that had to stop at once have left their servers


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.nodeid.startswith(PROOFS):
        item.add_marker("proof")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)
    if chromium_path():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, begins in enumerate(FIRST) if item.nodeid.startswith(begins)), len(FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    until = item.config.getoption("--until")
    if until is not None and time.time() > until:  # noqa: TID251 - the machine's own
        pytest.skip(NO_TIME)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is imported by now stays; to look through it for garbage each time takes a sixth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    config.option.loadscopereorder = False
    return ByFile(config, log)


class ByFile(LoadFileScheduling):
    """With `-n`, one process runs a whole file, and one all that needs a browser: two would be too much."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return BROWSER if file.startswith(BROWSER) else file


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if number := sum(NO_CHROMIUM in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(
            f"NOTICE: {number} browser tests did not run: no Chromium was found (CHROMIUM=/path names one)."
        )
    if late := [report.nodeid for report in skipped if NO_TIME in str(report.longrepr)]:
        files = sorted({nodeid.partition("::")[0] for nodeid in late})
        terminalreporter.write_line(f"NOTICE: {len(late)} tests did not run, {NO_TIME}. They are in")
        for file in files:
            terminalreporter.write_line(f"  {file}")


@pytest.fixture(scope="session")
def servers_run(pytestconfig: pytest.Config) -> servers.Run:
    return pytestconfig.stash[RUN]


@pytest.fixture(scope="session")
def django_db_setup(
    servers_run: servers.Run, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """In place of the one of pytest-django, which migrates for every run and every worker."""
    from tests import databases

    post_migrate.connect(hold_nobody_out, sender=apps.get_app_config("campaigns"))
    with django_db_blocker.unblock():
        databases.make(servers_run)
        databases.remember()
    TransactionTestCase._fixture_teardown = _renew_the_database  # type: ignore[method-assign]
    yield
    with django_db_blocker.unblock():
        databases.drop(servers_run)


def _renew_the_database(self: TransactionTestCase) -> None:
    """In place of Django's, which empties and seeds all tables after every test that commits."""
    from tests import databases

    databases.renew()


def hold_nobody_out(using: str, **_rest: Any) -> None:
    """One in twenty is in the shop-wide control group, by a hash of a random id: tests of it make their own.
    It comes after the product's own seed, which every migration and every flush of the tables calls.
    """
    from campaigns.models import FrequencySettings

    FrequencySettings.objects.using(using).update(control_percent=0)


@pytest.fixture
def child_environment(servers_run: servers.Run) -> dict[str, str]:
    """For subprocesses that shall work on this run's test database; the test needs transaction=True."""
    return servers_run.environment()


@pytest.fixture
def ground(servers_run: servers.Run) -> Iterator[Path]:
    """An empty folder for an installation. As root nobody else may enter the one that pytest gives."""
    folder = servers_run.slot.ground / "here"
    folder.mkdir(parents=True)
    yield folder
    leftovers.clear(folder)


@pytest.fixture
def clean_broker(servers_run: servers.Run) -> Iterator[None]:
    """Nothing waits in the broker or the cache before the test, and nothing stays there after it."""
    servers_run.empty()
    yield
    servers_run.empty()
