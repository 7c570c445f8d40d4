"""The system account that PostgreSQL and Valkey run under when we are root: PostgreSQL refuses to be root."""

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import Unavailable
from .places import SYSTEM_HOME

NAME = "rekindle"
TOOLS = "/usr/sbin:/sbin:/usr/bin:/bin"


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    @property
    def for_process(self) -> dict[str, Any]:
        """Arguments that make subprocess run a program as this account and nothing more."""
        return {"user": self.uid, "group": self.gid, "extra_groups": [], "cwd": "/"}


def service_account() -> Account | None:
    """None for an ordinary user: the servers then are simply that user's."""
    if os.geteuid() != 0:
        return None
    found = _look_up()
    if found is None:
        with _alone():
            found = _look_up() or _create()
    return Account(found.pw_uid, found.pw_gid)


@contextmanager
def _alone() -> Iterator[None]:
    """One process of this machine at a time: where two useradd write the list of users at once, the account
    that one of them was just given may vanish again.
    """
    SYSTEM_HOME.mkdir(parents=True, exist_ok=True)
    lock = os.open(SYSTEM_HOME / "account.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _look_up() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    if tool := shutil.which("useradd", path=TOOLS):
        command = [tool, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", "/usr/sbin/nologin", NAME]
    elif tool := shutil.which("adduser", path=TOOLS):
        command = [tool, "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/sbin/nologin", NAME]
    else:
        command = []
    made = subprocess.run(command, capture_output=True, text=True, check=False) if command else None
    if found := _look_up():
        return found
    reason = made.stderr.strip() if made else "there is no useradd"
    raise Unavailable(
        f"As root the local servers need a system account '{NAME}', which could not be created ({reason}). "
        "Create it, run as an ordinary user, or set DATABASE_URL and BROKER_URL."
    )


def may_enter(account: Account, folder: Path) -> bool:
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", folder], capture_output=True, **account.for_process
    )
    return tried.returncode == 0


def prepare_folder(path: Path, account: Account | None, mode: int = 0o700) -> None:
    """Make a folder that belongs to the servers' account, and refuse one that somebody else owns."""
    path.mkdir(parents=True, exist_ok=True)
    owner = account.uid if account else os.geteuid()
    state = path.lstat()
    if state.st_uid not in (owner, os.geteuid()) or not path.is_dir() or path.is_symlink():
        raise Unavailable(
            f"{path} belongs to another account; remove it or set REKINDLE_VAR to another folder."
        )
    if account and state.st_uid != account.uid:
        os.chown(path, account.uid, account.gid)
    path.chmod(mode)
