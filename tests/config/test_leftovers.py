"""A run of the tests that was killed leaves nothing that the next one would stumble over."""

import os
import subprocess
import sys
from pathlib import Path

from config.embedded import places
from tests import leftovers, ports, slots

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_programs_and_sockets_of_a_folder_go_with_it_and_others_stay(tmp_path: Path) -> None:
    home = tmp_path / "here" / "data"
    home.mkdir(parents=True)
    sockets = Path("/tmp", f"rekindle-{os.geteuid()}-{places.short_hash(home)}")
    sockets.mkdir()
    by_variable = subprocess.Popen(SLEEPER, env=os.environ | {"REKINDLE_VAR": str(home)})
    by_place = subprocess.Popen(SLEEPER, cwd=home)
    another = subprocess.Popen(SLEEPER, env=os.environ | {"REKINDLE_VAR": str(tmp_path)})
    try:
        leftovers.clear(home.parent)
        assert by_variable.poll() is not None and by_place.poll() is not None
        assert another.poll() is None
        assert not home.parent.exists() and not sockets.exists()
    finally:
        for process in (by_variable, by_place, another):
            process.kill()
            process.wait()


def test_a_run_takes_a_folder_that_is_free_and_clears_what_a_killed_one_left(tmp_path: Path) -> None:
    killed, running = slots.take(tmp_path), slots.take(tmp_path)
    for slot in (killed, running):
        (slot.ground / "here").mkdir(parents=True)
    server = subprocess.Popen(SLEEPER, cwd=killed.home)
    killed.give_back()
    try:
        again = slots.take(tmp_path)
        assert again.home == killed.home and not again.ground.exists()
        assert server.poll() is not None
        assert running.ground.exists()
    finally:
        server.kill()
        server.wait()
    further = slots.take(tmp_path)
    assert further.home not in (again.home, running.home)
    for slot in (again, running, further):
        slot.give_back()


def test_ports_are_free_and_different() -> None:
    given = ports.free(5)
    assert len(set(given)) == 5
