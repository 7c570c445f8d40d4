"""Real sender processes (`manage.py deliver`), to be killed, frozen and told to stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests import servers
from tests.sink.smtp import SmtpSink

ROOT = Path(__file__).resolve().parents[2]
CONVERSATIONS = 4
COMMAND = ("manage.py", "deliver", "--poll", "0.1")
WORKER = ("-m", "celery", "-A", "config", "worker", "--pool", "threads", "--concurrency", "4", "-l", "ERROR")


class Senders:
    def __init__(self, environment: Mapping[str, str], sink: SmtpSink, **settings: object) -> None:
        usual = {
            "EMAIL_URL": f"smtp://{sink.host}:{sink.port}",
            "REKINDLE_SAFE_SINK": "1",
            "REKINDLE_LEASE_SECONDS": "3",
            "REKINDLE_SENDING_SECONDS": "4",
            "REKINDLE_CONVERSATIONS": str(CONVERSATIONS),
            "REKINDLE_BACKOFF_SECONDS": "1",
            "REKINDLE_LOG_LEVEL": "WARNING",
        }
        self.environment = {**environment, **usual, **{key: str(value) for key, value in settings.items()}}
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, count: int = 1, command: Sequence[str] = COMMAND) -> None:
        for _ in range(count):
            bound = servers.bound([sys.executable, *command])
            self.running.append(subprocess.Popen(bound, cwd=ROOT, env=self.environment))

    def kill(self, place: int) -> None:
        victim = self.running.pop(place % len(self.running))
        victim.kill()
        victim.wait()

    def stop(self, seconds: float = 120) -> list[int]:
        """SIGTERM for all; returns what they said on leaving."""
        for one in self.running:
            one.send_signal(signal.SIGTERM)
        codes = [one.wait(seconds) for one in self.running]
        self.running.clear()
        return codes

    def freeze(self, place: int) -> subprocess.Popen[bytes]:
        victim = self.running[place % len(self.running)]
        os.kill(victim.pid, signal.SIGSTOP)
        return victim

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for one in self.running:
            one.kill()
            one.wait()


def wait_until(reached: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            raise AssertionError(f"{what} took longer than {seconds:g} s")
        time.sleep(0.02)
