"""What something costs: seconds on the clock, and seconds of processor, ours and the database server's.

Processor seconds hardly change when something else runs on the machine: ratios are of them, where the system
tells (Linux). Autovacuum and other benchmarks on the same server would count as well: there should be none.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time
from typing import Any

Work = Callable[[], Any]


@dataclass(frozen=True)
class Effort:
    wall: float
    cpu: float

    def __truediv__(self, other: Effort) -> float:
        return self.cpu / other.cpu

    def __str__(self) -> str:
        return f"{self.cpu * 1000:.0f} ms ({self.wall * 1000:.0f} on the clock)"


def of[T](work: Callable[[], T]) -> tuple[T, Effort]:
    wall, cpu = perf_counter(), _processor()
    answer = work()
    wall, cpu = perf_counter() - wall, _processor() - cpu
    return answer, Effort(wall, cpu or wall)


def in_turns(rounds: int, *works: Work, before: Work = lambda: None) -> list[Effort]:
    """The median effort of each, made one after the other, round after round."""
    taken: list[list[Effort]] = [[] for _ in works]
    for _ in range(rounds):
        for work, known in zip(works, taken, strict=True):
            before()
            known.append(of(work)[1])
    return [Effort(median(one.wall for one in known), median(one.cpu for one in known)) for known in taken]


def _processor() -> float:
    """Of this process, of the server process behind Django's connection, and of helpers that have ended."""
    from django.db import connection

    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    try:
        with open(f"/proc/{backend}/schedstat") as told:
            running = int(told.read().split()[0]) / 1e9
        parent = _status(backend)[1]
        helpers = sum(_status(parent)[13:15]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0
    return process_time() + running + helpers


def _status(pid: int) -> list[int]:
    """The numbers that follow the name in /proc/<pid>/stat; the state, a letter, counts as 0."""
    with open(f"/proc/{pid}/stat") as told:
        words = told.read().rpartition(")")[2].split()
    return [0, *(int(word) for word in words[1:])]
