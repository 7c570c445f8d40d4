"""One supervised program: started in a session of its own, asked whether it is ready, stopped for good."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from . import processes
from .places import CLONE

LOG_BYTES = 5_000_000
DEATHS, WITHIN_SECONDS = 3, 30.0


@dataclass
class Child:
    """`is_ready` gets the child's own ready file, for programs that have no port to knock at."""

    name: str
    command: list[str]
    is_ready: Callable[[Path], bool]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = True
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def ready_file(self) -> Path:
        return self.folder / f"{self.name}.ready"

    def start(self, *inherited: int) -> None:
        """`inherited` are open files: among them a lock that lasts as long as any child lives."""
        self.ready_file.unlink(missing_ok=True)
        own = {"REKINDLE_READY_FILE": str(self.ready_file), "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.embedded.child", str(os.getpid()), *self.command],
            cwd=CLONE,
            env=dict(os.environ) | dict(self.environment) | own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if self.quiet else None,
            stderr=subprocess.STDOUT if self.quiet else None,
            start_new_session=True,
            pass_fds=inherited,
        )
        if self.process.stdout:
            threading.Thread(target=self._keep_log, args=[self.process.stdout], daemon=True).start()

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ready(self) -> bool:
        return self.lives() and self.is_ready(self.ready_file)

    def died_too_often(self) -> bool:
        """Called once a death."""
        self.deaths.append(time.monotonic())
        return len(self.deaths) == DEATHS and self.deaths[-1] - self.deaths[0] < WITHIN_SECONDS

    def last_words(self) -> str:
        return processes.tail(self.log)

    def stop(self, grace: float) -> None:
        """Ask, wait, then end it together with whatever it started."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                print(f"{self.name} did not end within {grace:g} s and is being killed.", file=sys.stderr)
        self._kill_group()
        self.process.wait()
        self.ready_file.unlink(missing_ok=True)

    def kill(self) -> None:
        if self.process is not None:
            self._kill_group()
            self.process.wait()

    def _kill_group(self) -> None:
        """The session's group outlives its leader when the leader died without tidying up."""
        assert self.process
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _keep_log(self, source: IO[bytes]) -> None:
        """Into a file that is turned over when it is large, so that a forgotten run never fills the disk."""
        written = self.log.stat().st_size if self.log.exists() else 0
        target = self.log.open("ab", buffering=0)
        for line in source:
            if written > LOG_BYTES:
                target.close()
                self.log.replace(self.log.with_suffix(".log.1"))
                target, written = self.log.open("ab", buffering=0), 0
            target.write(line)
            written += len(line)
        target.close()
