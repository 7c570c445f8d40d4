"""One import of ours, measured in a process of its own: its dry run, its coming in, and its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import effort
from benchmarks.effort import Effort

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
_SIGN = "measured"


@dataclass(frozen=True)
class Imported:
    """What it took. The process that reads counts as well, also where it is not named."""

    checked: Effort
    brought: Effort
    peak: float
    """Megabytes that the import adds to a process in which Django and all apps are loaded, and the whole of
    the process that reads."""

    @property
    def whole(self) -> Effort:
        return Effort(self.checked.wall + self.brought.wall, self.checked.cpu + self.brought.cpu)

    def __str__(self) -> str:
        return f"dry run {self.checked}, coming in {self.brought}, {self.peak:.0f} MB"


def in_a_process(path: Path, subject: str, environment: dict[str, str]) -> Imported:
    """The dry run and the import of a file, its columns taken as they are recognised."""
    command = [sys.executable, "-m", "benchmarks.importing", str(path), subject]
    answer = subprocess.run(
        command, env=dict(os.environ) | environment, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(answer.stderr[-2000:])
    told, _, figures = answer.stdout.rpartition(_SIGN)
    print(told.strip())
    check_wall, check_cpu, wall, cpu, peak = map(float, figures.split())
    return Imported(Effort(check_wall, check_cpu), Effort(wall, cpu), peak)


def main() -> None:
    import django
    import psutil

    django.setup()
    this, over, peak = psutil.Process(), threading.Event(), [0]
    base = this.memory_info().rss

    def watch() -> None:
        while not over.wait(0.05):
            with suppress(psutil.NoSuchProcess):
                peak[0] = max(peak[0], sum(one.memory_info().rss for one in (this, *this.children())))

    watching = threading.Thread(target=watch)
    watching.start()
    checked, brought = _imported(Path(sys.argv[1]), sys.argv[2])
    over.set()
    watching.join()
    print(_SIGN, checked.wall, checked.cpu, brought.wall, brought.cpu, (peak[0] - base) / 1e6)


def _imported(path: Path, subject: str) -> tuple[Effort, Effort]:
    """As the job does it."""
    from crm.kernel.work import Budget
    from crm.models import Import
    from crm.sheets import reading
    from crm.sheets.importing import acts, files, running
    from crm.sheets.matching import match
    from crm.sheets.subjects import subjects

    run = Import(subject=subject, name=path.name, created_at=NOW)
    with path.open("rb") as file:
        files.keep(run, iter(lambda: file.read(1 << 20), b""))
    seen = reading.look(files.path_of(run), run.name)
    run.look = seen.as_json()
    run.mapping = {
        str(one.column): one.target for one in match(seen, subjects.get(run.subject).targets(), {})
    }
    run.save()

    def work(begin: Callable[[Import, datetime], None]) -> Effort:
        def through() -> None:
            begin(run, NOW)
            running.keep_up(NOW, Budget(24 * 3600))

        before = os.times()
        spent = effort.of(through)[1]
        after = os.times()
        reader = after.children_user + after.children_system - before.children_user - before.children_system
        return Effort(spent.wall, spent.cpu + reader)

    checked, brought = work(acts.check), work(acts.begin)
    run.refresh_from_db()
    assert run.status == Import.Status.DONE, run.problem
    files.path_of(run).unlink()
    print(f"new {run.made:,}, changed {run.updated:,}, refused {run.refused:,}")
    return checked, brought


if __name__ == "__main__":
    main()
