"""What a sink took, one JSON line a message, appended and flushed before the sender hears of it."""

import base64
import json
import os
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Accepted:
    at: float  # wall clock, seconds
    delivery: str
    sender: str
    recipient: str
    size: int
    raw: bytes | None = None


class Records:
    """Kept in memory for the test that owns the sink, and in a file for those that watch from outside."""

    def __init__(self, path: Path | str | None = None, *, keep_raw: bool = True) -> None:
        self._lock = threading.Lock()
        self._accepted: list[Accepted] = []
        self._keep_raw = keep_raw
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if path else None

    def add(self, delivery: str, sender: str, recipient: str, raw: bytes) -> None:
        at = time.time()  # noqa: TID251 - a foreign server has a clock of its own, which no test may stop
        accepted = Accepted(at, delivery, sender, recipient, len(raw), raw if self._keep_raw else None)
        with self._lock:
            self._accepted.append(accepted)
        if self._file is not None:
            row: dict[str, Any] = asdict(accepted)
            row["raw"] = base64.b64encode(raw).decode() if self._keep_raw else None
            os.write(self._file, json.dumps(row).encode() + b"\n")

    def accepted(self) -> list[Accepted]:
        with self._lock:
            return list(self._accepted)

    def clear(self) -> None:
        with self._lock:
            self._accepted.clear()

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read(path: Path | str) -> list[Accepted]:
    """The record of a sink that runs (or ran) in another process; a half-written last line is not counted."""
    found = []
    for line in Path(path).read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            row = json.loads(line)
            row["raw"] = base64.b64decode(row["raw"]) if row["raw"] is not None else None
            found.append(Accepted(**row))
    return found


def copies(accepted: list[Accepted]) -> Counter[str]:
    """How many times each delivery arrived: the number that may never pass one."""
    return Counter(one.delivery for one in accepted)
