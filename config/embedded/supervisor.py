"""`make run`: servers, database, sample shop, then every program of the product, until Ctrl-C.

A module of its own without Django, so that watching costs little memory. What needs Django is done by the
command `prepare`, in a process that ends.
"""

import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from config import env

from . import family, ports, processes, services
from .children import Child
from .errors import Unavailable
from .places import CLONE, Places

START_SECONDS = 180.0
AGAIN_SECONDS = 1.0
KILLED_SECONDS = 10.0


class Stopped(Exception):
    """A person asked us to stop."""


class Supervisor:
    def __init__(self, environment: env.Environment) -> None:
        self.environment = environment
        self.places = environment.places
        self.services = services.needed(environment)
        self.children: list[Child] = []
        self.stop_asked = threading.Event()
        self.asked_at = 0.0
        self.began = time.monotonic()

    def run(self) -> None:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, self._ask)
        services.lay_out(self.places)
        with _alone(self.places), _family_lock(self.places, self.environment.grace_seconds) as held:
            taken = ports.check(self.environment.ports)
            if taken:
                raise Unavailable("\n".join(taken))
            try:
                self._say(
                    "Starting PostgreSQL and Valkey" if any(self.services.wanted) else "Using your servers"
                )
                self.services.acquire()
                self._pause_point()
                report = self._prepare(held)
                self._start(held, report)
                self._welcome(report)
                self._watch(held)
            except Stopped:
                pass
            finally:
                self._stop()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        """The first signal asks; another one, later than a doubled Ctrl-C of shell and make, is impatient."""
        now = time.monotonic()
        if not self.stop_asked.is_set():
            self.asked_at = now
            self.stop_asked.set()
        elif now - self.asked_at > 1:
            for child in self.children:
                child.kill()

    def _pause_point(self, seconds: float = 0.0) -> None:
        if self.stop_asked.wait(seconds):
            raise Stopped

    def _prepare(self, held: int) -> dict:
        """Migrations, sample shop, first administrator: as the database's owner, in a process of its own."""
        reading, writing = os.pipe()
        command = [sys.executable, str(CLONE / "manage.py"), "prepare", "--report", str(writing)]
        owner = {services.HELD: "1", "REKINDLE_DB_ROLE": ""}
        child = Child("prepare", command, lambda _file: False, self.places.logs, owner, quiet=False)
        self.children.append(child)
        child.start(held, writing)
        os.close(writing)
        while child.lives():
            self._pause_point(0.05)
        self.children.remove(child)
        with os.fdopen(reading) as pipe:
            report = pipe.read()
        if not report:
            raise Unavailable("The database could not be prepared; the reason stands above.")
        return dict(json.loads(report))

    def _start(self, held: int, report: dict) -> None:
        variables = {services.HELD: "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
        if not self.environment.db_role and report["role"]:
            variables["REKINDLE_DB_ROLE"] = report["role"]
        self.children = family.children(self.environment, variables, report["sample"])
        self._say("Starting " + ", ".join(child.name for child in self.children))
        for child in self.children:
            child.start(held)
        deadline = time.monotonic() + START_SECONDS
        waiting = list(self.children)
        while waiting:
            self._pause_point(0.1)
            waiting = [child for child in waiting if not child.ready()]
            for child in waiting:
                if not child.lives():
                    raise Unavailable(
                        f"{child.name} ended while starting. Its last words:\n{child.last_words()}"
                    )
            if time.monotonic() > deadline:
                names = ", ".join(child.name for child in waiting)
                raise Unavailable(
                    f"Not ready after {START_SECONDS:g} s: {names}. Logs are in {self.places.logs}."
                )

    def _watch(self, held: int) -> None:
        """Bring back what dies, servers first. Something that dies again and again is a person's business."""
        while True:
            self._pause_point(AGAIN_SECONDS)
            self.services.ensure()
            for child in self.children:
                if child.lives():
                    continue
                if child.died_too_often():
                    raise Unavailable(f"{child.name} keeps dying. Its last words:\n{child.last_words()}")
                self._say(f"{child.name} died and is started again; its log is {child.log}")
                child.kill()
                child.start(held)

    def _stop(self) -> None:
        order = {name: place for place, name in enumerate(family.STOP_ORDER)}
        if self.children:
            self._say("Stopping")
        for child in sorted(self.children, key=lambda child: order.get(child.name, 0)):
            child.stop(self.environment.grace_seconds)
        self.services.release()
        self._say("Stopped. Your data is kept.")

    def _welcome(self, report: dict) -> None:
        given = self.environment
        if report["password"]:
            entry = f"user {report['user']}, one-time password {report['password']}"
        else:
            entry = "password forgotten? make password"
        lines = [f"Rekindle is running, {time.monotonic() - self.began:.0f} s after the start.", ""]
        lines += [f"  Admin  {given.admin_url}/admin/   {entry}"]
        if given.sample and report["sample"]:
            lines += [f"  Shop   {given.shop_url}/"]
        if given.sample:
            lines += [f"  Inbox  {given.inbox_url}/"]
        lines += ["", f"Stop with Ctrl-C. Logs are in {self.places.logs}."]
        lines += ["From another terminal: make sample-remove (sample data), make reset (everything)."]
        print("\n" + "\n".join(lines) + "\n", flush=True)

    def _say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:5.1f} s] {text}", flush=True)


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """One supervisor a data folder."""
    lock = os.open(places.locks / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(lock, 20, 0).decode().strip()
        os.close(lock)
        raise Unavailable(
            f"Rekindle already runs here as process {pid}. Stop it first (Ctrl-C there, or kill {pid}), "
            "or set REKINDLE_VAR to another folder and other ports."
        ) from None
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


@contextmanager
def _family_lock(places: Places, patience: float) -> Iterator[int]:
    """Inherited by every child: while one of a killed run still finishes its work, the next run waits.

    What has not ended after that was asked to long ago, and nothing depends on its good will: it is killed.
    """
    path = places.locks / "children"
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _locked(lock, patience):
            for pid in processes.holding(path):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not _locked(lock, KILLED_SECONDS):
                raise Unavailable("Programs of an earlier run have not ended yet; try again soon.")
        yield lock
    finally:
        os.close(lock)


def _locked(lock: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)


def main() -> None:
    try:
        Supervisor(env.read()).run()
    except (Unavailable, env.BadEnvironment) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
