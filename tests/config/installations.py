"""A whole installation in a folder of its own, started and treated badly by the tests of the supervisor."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from config.embedded import places
from tests import leftovers, ports, servers

PORTS = ("WEB", "COLLECT", "SHOP", "INBOX", "SMTP")


@dataclass
class Installation:
    clone: Path
    home: Path
    log: Path
    python: str = sys.executable
    variables: dict[str, str] = field(default_factory=dict)
    identity: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH")
        own = {name: os.environ[name] for name in kept if name in os.environ}
        own |= {"REKINDLE_VAR": str(self.home), "REKINDLE_ENV_FILE": "", "REKINDLE_SAMPLE": "false"}
        free = ports.free(len(PORTS))
        own |= {f"REKINDLE_{name}_PORT": str(port) for name, port in zip(PORTS, free, strict=True)}
        self.variables = own | self.variables

    @property
    def web(self) -> int:
        return int(self.variables["REKINDLE_WEB_PORT"])

    def start(self) -> "Installation":
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                servers.bound([self.python, "manage.py", "up"]),
                cwd=self.clone,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.identity,
            )
        return self

    def wait_until_running(self, seconds: float = 600) -> str:
        assert self.process
        deadline = time.monotonic() + seconds
        while "Rekindle is running" not in self.output():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.1)
        return self.output()

    def output(self) -> str:
        return self.log.read_text()

    def interrupt(self) -> int:
        """Ctrl-C: the terminal tells the whole foreground group."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(180)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.python, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=self.clone, env=self.variables, capture_output=True, text=True, **self.identity
        )

    def answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(2)
            return probe.connect_ex(("127.0.0.1", self.web)) == 0

    def processes(self) -> list[psutil.Process]:
        """All that belongs to this data folder."""
        return leftovers.processes_in(self.home)

    def running(self, word: str) -> list[psutil.Process]:
        """Those started with this word."""
        found = []
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                if word in process.cmdline():
                    found.append(process)
        return found

    def accounts(self) -> set[int]:
        """The accounts they run under; some of them, PostgreSQL's servants, are gone while one looks."""
        found = set()
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                found.add(process.uids().real)
        return found


@contextmanager
def installation(folder: Path, **given: Any) -> Iterator[Installation]:
    defaults: dict[str, Any] = {"clone": places.CLONE, "home": folder / "data", "log": folder / "up.log"}
    made = Installation(**defaults | given)
    try:
        yield made
    finally:
        leftovers.clear(made.home)


def copied_clone(target: Path) -> Path:
    """The working tree without its history and data."""
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "var", ".test-var", "__pycache__", ".mypy_cache", ".*_cache"
    )
    shutil.copytree(places.CLONE, target, ignore=ignored)
    return target


def wait_until(condition: Callable[[], object], seconds: float = 180) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def runs(python: str, account: dict[str, Any], variables: dict[str, str]) -> bool:
    """Can this account run this interpreter with our packages? Not when they lie below a private home."""
    try:
        tried = subprocess.run([python, "-c", "import django"], capture_output=True, env=variables, **account)
    except OSError:
        return False
    return tried.returncode == 0


def python_for(account: dict[str, Any], folder: Path) -> tuple[str, dict[str, str]]:
    """Our interpreter and its packages, copied into `folder` if the account cannot reach the ones in use."""
    if runs(sys.executable, account, {}):
        return sys.executable, {}
    small = shutil.ignore_patterns("test", "tests", "idlelib", "*.a", "site-packages")
    shutil.copytree(sys.base_prefix, folder / "python", symlinks=True, ignore=small)
    shutil.copytree(sysconfig.get_path("purelib"), folder / "packages", symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    variables = {"LD_LIBRARY_PATH": str(folder / "python" / "lib"), "PYTHONPATH": str(folder / "packages")}
    return str(folder / "python" / "bin" / version), variables
