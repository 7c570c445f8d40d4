"""Local servers are lent: the first user starts one, the last stops it, the dead do not count."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.embedded import places
from config.embedded.lending import Loan


@dataclass
class Lamp:
    """A server that is a file: up when the file exists, with a line a start."""

    folder: Path
    broken: bool = False
    name = "lamp"

    def is_up(self) -> bool:
        return (self.folder / "light").exists()

    def start(self) -> None:
        if self.broken:
            raise RuntimeError("no bulb")
        (self.folder / "light").touch()
        with (self.folder / "starts").open("a") as starts:
            starts.write("started\n")

    def stop(self) -> None:
        (self.folder / "light").unlink(missing_ok=True)


BORROWER = """
import sys
from pathlib import Path
from config.embedded.lending import Loan
from tests.config.test_lending import Lamp
folder = Path(sys.argv[1])
loan = Loan(Lamp(folder), folder)
loan.take()
print("taken", flush=True)
sys.stdin.readline()
loan.give_back()
"""


def borrower(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BORROWER, str(folder)],
        cwd=places.CLONE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "taken\n"


def test_the_first_user_starts_it_and_the_last_stops_it(tmp_path: Path) -> None:
    lamp = Lamp(tmp_path)
    first, second = Loan(lamp, tmp_path), Loan(lamp, tmp_path)
    first.take()
    second.take()
    first.give_back()
    assert lamp.is_up()
    second.give_back()
    assert not lamp.is_up()


def test_a_killed_user_does_not_keep_it_alive(tmp_path: Path) -> None:
    process = borrower(tmp_path)
    wait_for(process)
    process.kill()
    process.communicate()
    lamp = Lamp(tmp_path)
    assert lamp.is_up(), "nobody was there to stop it"
    loan = Loan(lamp, tmp_path)
    loan.take()
    loan.give_back()
    assert not lamp.is_up()


def test_many_users_at_once_start_it_once(tmp_path: Path) -> None:
    processes = [borrower(tmp_path) for _ in range(4)]
    for process in processes:
        wait_for(process)
    assert (tmp_path / "starts").read_text() == "started\n"
    for process in processes:
        process.communicate("\n")
    assert not Lamp(tmp_path).is_up()


def test_a_failed_start_leaves_nothing_locked(tmp_path: Path) -> None:
    loan = Loan(Lamp(tmp_path, broken=True), tmp_path)
    with pytest.raises(RuntimeError):
        loan.take()
    other = Loan(Lamp(tmp_path), tmp_path)
    other.take()
    other.give_back()
    assert not Lamp(tmp_path).is_up()


def test_a_server_that_died_is_started_again_for_whoever_has_it(tmp_path: Path) -> None:
    lamp = Lamp(tmp_path)
    loan = Loan(lamp, tmp_path)
    loan.take()
    lamp.stop()
    loan.ensure()
    assert lamp.is_up()
    loan.give_back()
