"""`make reset`: erase this clone's data folder, after asking, and never while anything uses it."""

import fcntl
import os
import shutil
import signal
import sys
from contextlib import suppress

from config import env

from . import processes
from .errors import Unavailable
from .places import Places

# Nothing else is erased, whatever folder REKINDLE_VAR names.
OURS = {"postgres", "postgres.new", "valkey", "run", "keys", "media", "locks", "logs", "mailbox"}


def main() -> None:
    try:
        reset(env.read())
    except (Unavailable, env.BadEnvironment) as error:
        sys.exit(str(error))


def reset(environment: env.Environment) -> None:
    places = environment.places
    if environment.database_url:
        raise Unavailable(
            "DATABASE_URL names a database of your own; this command only erases the local one."
        )
    if not places.home.exists():
        print("There is nothing to erase.")
        return
    _refuse_while_used(places)
    if not _agreed(places):
        raise Unavailable("Nothing was erased.")
    _end_leftovers(places)
    for path in (places.sockets, *places.home.iterdir()):
        if path == places.sockets or path.name in OURS or path.name.startswith("programs-"):
            shutil.rmtree(path, ignore_errors=True)
    (places.home / "clone").unlink(missing_ok=True)
    with suppress(OSError):
        places.home.rmdir()
    print(f"Erased {places.home}. The next start begins from nothing.")


def _agreed(places: Places) -> bool:
    if os.environ.get("CONFIRM", "").lower() == "yes":
        return True
    if not sys.stdin.isatty():
        print("Nobody is here to ask; CONFIRM=yes says it without asking.")
        return False
    print(f"This erases every person, order, message and key in {places.home}, for ever.")
    return input("Type 'erase' to go on: ").strip() == "erase"


def _refuse_while_used(places: Places) -> None:
    for path in places.locks.glob("*"):
        lock = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable("Rekindle or one of its commands is running; stop it first.") from None
        finally:
            os.close(lock)


def _end_leftovers(places: Places) -> None:
    """Servers that a killed run left behind."""
    for path, name in (
        (places.postgres / "postmaster.pid", "postgres"),
        (places.valkey / "valkey.pid", "valkey"),
    ):
        try:
            pid = int(path.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            continue
        processes.stop(
            pid, name, signal.SIGQUIT if name == "postgres" else signal.SIGTERM, signal.SIGKILL, 30
        )


if __name__ == "__main__":
    main()
