"""What a killed run left behind does not keep the next one from starting."""

import subprocess
import sys
from pathlib import Path

from config.embedded import services, supervisor
from config.embedded.places import Places

DEAF = """
import fcntl, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


def test_a_program_of_a_killed_run_that_does_not_end_is_killed_by_the_next_run(tmp_path: Path) -> None:
    places = Places(tmp_path / "a folder")
    services.lay_out(places)
    lock = str(places.locks / "children")
    with subprocess.Popen([sys.executable, "-c", DEAF, lock], stdout=subprocess.PIPE, text=True) as deaf:
        assert deaf.stdout and deaf.stdout.readline() == "held\n"
        with supervisor._family_lock(places, patience=0.3):
            assert deaf.wait(5) == -9
