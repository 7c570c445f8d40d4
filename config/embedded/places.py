"""Where this installation keeps its data, sockets, keys and locks. Computes paths, creates nothing."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
SYSTEM_HOME = Path("/var/lib/rekindle")
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]{1,80}")


@dataclass(frozen=True)
class Places:
    """One data folder and what lies in it."""

    home: Path

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    @property
    def valkey(self) -> Path:
        return self.home / "valkey"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def media(self) -> Path:
        return self.home / "media"

    @property
    def locks(self) -> Path:
        return self.home / "locks"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def sockets(self) -> Path:
        """Beside the data when the path is short and plain, else a private folder in /tmp.

        The kernel allows 108 bytes for a socket's path, and broker URLs do not carry spaces.
        """
        beside = self.home / "run"
        if PLAIN_PATH.fullmatch(str(beside)):
            return beside
        return Path("/tmp") / f"rekindle-{os.geteuid()}-{short_hash(self.home)}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"


def short_hash(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def chosen(folder: str = "", *, default: str = "var") -> Places:
    """The folder named by the environment, or `default` in the clone.

    As root the default lies below /var/lib, because PostgreSQL then runs under an account of its own, which
    often cannot enter the clone. The name is a hash of the clone's path: two clones never share one.
    """
    if folder:
        return Places((CLONE / Path(folder).expanduser()).resolve())
    wanted = CLONE / default
    if os.geteuid() == 0:
        return Places(SYSTEM_HOME / short_hash(wanted))
    return Places(wanted)
