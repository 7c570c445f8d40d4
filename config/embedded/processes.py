"""Small questions about processes that outlive us: does it live, is it ours, has it gone."""

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import psutil


def lives(pid: int, name: str = "") -> bool:
    """A zombie does not live; neither does a number that now belongs to another program."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and name in process.name()
    except psutil.Error:
        return False


def number_is_taken(pid: int) -> bool:
    return pid > 0 and psutil.pid_exists(pid)


def working_in(folder: Path) -> list[int]:
    """Living processes whose working directory is this folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def holding(path: Path) -> list[int]:
    """Other living processes that have this file open."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            opened = {one.path for one in process.open_files()}
            if process.pid != os.getpid() and os.path.realpath(path) in opened:
                found.append(process.pid)
    return found


def first_number(path: Path) -> int:
    """The process id that a lock or pid file begins with; 0 when there is none."""
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def ended(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while lives(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def stop(pid: int, name: str, polite: signal.Signals, rude: signal.Signals, seconds: float) -> None:
    """Ask, wait, insist. Never signals a number that is no longer the named program."""
    for sign, patience in ((polite, seconds), (rude, 10.0)):
        if not lives(pid, name):
            return
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        if ended(pid, patience):
            return


def answers(path: Path) -> bool:
    """Is somebody listening on this unix socket?"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def tail(path: Path, lines: int = 12) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
