"""Supervised programs: they end with their supervisor, say when they are ready, keep a bounded log."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from config.embedded import children, places, ports
from config.embedded.children import Child

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time, os
child = subprocess.Popen([sys.executable, "-m", "config.embedded.child", str(os.getpid()), *sys.argv[1:]])
print(child.pid, flush=True)
time.sleep(60)
"""


def soon(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def child(folder: Path, command: list[str]) -> Child:
    return Child("try", command, Path.exists, folder)


def test_a_child_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *SLEEPER], cwd=places.CLONE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    number = int(parent.stdout.readline())
    assert soon(lambda: "sleep" in " ".join(psutil.Process(number).cmdline()))
    parent.kill()
    parent.communicate()
    assert soon(lambda: not psutil.pid_exists(number) or psutil.Process(number).status() == "zombie")


def test_a_child_that_ignores_the_polite_end_is_killed_with_its_whole_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stubborn = child(tmp_path, [sys.executable, "-c", STUBBORN])
    stubborn.start()
    assert soon(lambda: "deaf" in stubborn.last_words())
    stubborn.stop(0.2)
    assert not stubborn.lives()
    assert "being killed" in capsys.readouterr().err


def test_a_child_is_ready_when_it_has_written_its_file(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, time; pathlib.Path(os.environ['REKINDLE_READY_FILE']).touch(); time.sleep(60)"
    )
    here = child(tmp_path, [sys.executable, "-c", program])
    here.start()
    try:
        assert soon(here.ready)
    finally:
        here.stop(2)
    assert not here.ready()


def test_the_log_is_turned_over_when_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "LOG_BYTES", 1000)
    talker = child(tmp_path, [sys.executable, "-c", "for n in range(100): print('line', n, 'x' * 20)"])
    talker.start()
    assert soon(lambda: "line 99" in talker.last_words())
    assert talker.log.stat().st_size < 1200
    assert talker.log.with_suffix(".log.1").exists()
    talker.stop(1)


def test_three_deaths_in_half_a_minute_are_too_many(tmp_path: Path) -> None:
    mortal = child(tmp_path, SLEEPER)
    assert [mortal.died_too_often() for _ in range(3)] == [False, False, True]
    mortal.deaths[0] -= 60
    assert mortal.died_too_often()
    mortal.deaths[0] -= 60
    assert len(mortal.deaths) == children.DEATHS


def test_a_port_is_taken_when_anybody_listens_there_and_the_sentence_helps() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        number = listener.getsockname()[1]
        [sentence] = ports.check({"REKINDLE_WEB_PORT": number}, patience=0.1)
    assert f"Port {number} is in use by process {os.getpid()}" in sentence
    assert "REKINDLE_WEB_PORT=" in sentence
    assert ports.check({"REKINDLE_WEB_PORT": number}) == []


def test_one_port_for_two_programs_is_refused() -> None:
    [sentence] = ports.check({"REKINDLE_WEB_PORT": 59999, "REKINDLE_SHOP_PORT": 59999})
    assert "59999" in sentence


def test_a_child_does_not_inherit_that_its_starter_ignores_signals(tmp_path: Path) -> None:
    old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        here = child(tmp_path, SLEEPER)
        here.start()
        process = here.process
        assert process and soon(lambda: psutil.Process(process.pid).cmdline() == SLEEPER)
        here.stop(30)
        assert process.returncode == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, old)
