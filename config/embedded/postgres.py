"""The local PostgreSQL: made once, reached over a private socket only. The caller holds the gate."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from . import processes
from .accounts import Account, prepare_folder
from .binaries import Binaries
from .errors import Unavailable
from .places import Places

USER = "rekindle"
DATABASE = "rekindle"
PORT = "5432"
PATIENCE_SECONDS = 900  # crash recovery of a big database takes minutes and must not count as a failure

# Whole pages go into the log as they are: packing one with pglz, all this build has, takes 60 µs, half of an
# insert or update into a table larger than memory. So the log is twice as long, and may be before a
# checkpoint writes all pages anew.
TUNING = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "10min",
}
# For folders whose content nobody would miss: tests.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


@dataclass(frozen=True)
class Postgres:
    places: Places
    binaries: Binaries
    account: Account | None
    durable: bool = True
    name = "postgres"

    @property
    def log(self) -> Path:
        return self.places.logs / "postgres.log"

    def is_up(self) -> bool:
        """True when it takes connections. One that is just starting or stopping is waited for."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            pid, status = self._postmaster()
            if not processes.lives(pid, "postgres"):
                return False
            if status == "ready" and processes.answers(self.places.sockets / f".s.PGSQL.{PORT}"):
                return True
            if time.monotonic() > deadline:
                raise Unavailable(f"PostgreSQL (process {pid}) neither starts nor stops; see {self.log}.")
            time.sleep(0.05)

    def start(self) -> None:
        data = self.places.postgres
        prepare_folder(self.places.sockets, self.account)
        if not data.exists():
            self._create(data)
        self._check_version(data)
        self._clear_up_after_a_crash(data)
        self._wait_for(self._launch(data))
        self._create_database()

    def stop(self) -> None:
        pid, _ = self._postmaster()
        processes.stop(pid, "postgres", signal.SIGINT, signal.SIGQUIT, 120)

    def _create(self, data: Path) -> None:
        """Made under another name, renamed when complete: a killed start leaves nothing half-made."""
        draft = data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        prepare_folder(draft, self.account)
        command: list[str | Path] = [
            self.binaries.postgres("initdb"),
            "-D",
            draft,
            "-U",
            USER,
            "--auth=trust",
        ]
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--lc-messages=C"]
        command += [] if self.durable else ["--no-sync"]
        # In a session of its own: Ctrl-C in the terminal is for the supervisor alone.
        made = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=self._environment(),
            start_new_session=True,
            **self._identity(),
        )
        if made.returncode:
            raise Unavailable(
                f"PostgreSQL's data folder could not be made in {draft}:\n{made.stderr.strip()}"
            )
        draft.rename(data)

    def _clear_up_after_a_crash(self, data: Path) -> None:
        """What PostgreSQL would stumble over when its main process was killed and others lived on.

        Servers of single connections notice it when their query ends, and nothing may write beside them. Lock
        files are taken away only if their number is by now a zombie's or another program's: all other cases
        PostgreSQL judges better itself.
        """
        for orphan in processes.working_in(data):
            processes.stop(orphan, "postgres", signal.SIGTERM, signal.SIGKILL, 10)
        for path in (data / "postmaster.pid", self.places.sockets / f".s.PGSQL.{PORT}.lock"):
            pid = processes.first_number(path)
            if processes.number_is_taken(pid) and not processes.lives(pid, "postgres"):
                path.unlink(missing_ok=True)

    def _check_version(self, data: Path) -> None:
        made_by = (data / "PG_VERSION").read_text().strip()
        program = subprocess.run(
            [self.binaries.postgres("postgres"), "--version"],
            capture_output=True,
            text=True,
            **self._identity(),
        ).stdout
        ours = re.search(r"\) (\d+)", program)
        if ours and ours[1] != made_by:
            raise Unavailable(
                f"The data in {data} was made by PostgreSQL {made_by}, this release brings {ours[1]}. "
                "Nothing was touched. Install the release that made it, dump, and restore into a new folder."
            )

    def _launch(self, data: Path) -> subprocess.Popen[bytes]:
        settings = TUNING | ({} if self.durable else CARELESS)
        settings |= {
            "listen_addresses": "",
            "unix_socket_directories": str(self.places.sockets),
            "unix_socket_permissions": "0700",
            "port": PORT,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self.binaries.postgres("postgres"), "-D", data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,
                **self._identity(),
            )

    def _wait_for(self, server: subprocess.Popen[bytes]) -> None:
        began = time.monotonic()
        told = False
        while server.poll() is None:
            pid, status = self._postmaster()
            if pid == server.pid and status == "ready":
                return
            waited = time.monotonic() - began
            if waited > PATIENCE_SECONDS:
                break
            if waited > 5 and not told:
                print(
                    "PostgreSQL is starting; after a crash it first repairs itself...",
                    file=sys.stderr,
                    flush=True,
                )
                told = True
            time.sleep(0.02)
        raise Unavailable(f"PostgreSQL did not start. The end of {self.log}:\n{processes.tail(self.log)}")

    def _create_database(self) -> None:
        import psycopg
        from psycopg.conninfo import make_conninfo

        address = make_conninfo(host=str(self.places.sockets), port=PORT, user=USER, dbname="postgres")
        with psycopg.connect(address, autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not known:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

    def _postmaster(self) -> tuple[int, str]:
        """Process id and status as PostgreSQL itself writes them down; (0, "") when it does not run."""
        try:
            lines = (self.places.postgres / "postmaster.pid").read_text().splitlines()
        except OSError:
            return 0, ""
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        return pid, lines[7].strip() if len(lines) > 7 else ""

    def _identity(self) -> dict:
        return self.account.for_process if self.account else {}

    def _environment(self) -> dict[str, str]:
        """Nothing of ours: PG* variables, locales and zones of a person's shell would change how it runs."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
