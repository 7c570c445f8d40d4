"""One import of ours, measured in a process of its own: dry run, coming in, undo, and memory."""

from __future__ import annotations

import json
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
    undone: Effort | None
    peak: float
    """Megabytes that the import adds to a process in which Django and all apps are loaded, and the whole of
    the process that reads."""

    @property
    def whole(self) -> Effort:
        return Effort(self.checked.wall + self.brought.wall, self.checked.cpu + self.brought.cpu)

    def __str__(self) -> str:
        undone = f", undo {self.undone}" if self.undone else ""
        return f"dry run {self.checked}, coming in {self.brought}{undone}, {self.peak:.0f} MB"


def in_a_process(
    path: Path, subject: str, environment: dict[str, str], *, undo: bool = False, **options: str
) -> Imported:
    """The dry run and the import of a file, its columns taken as they are recognised; and the `undo`."""
    how = [str(path), subject, json.dumps(options), "undo" if undo else ""]
    command = [sys.executable, "-m", "benchmarks.importing", *how]
    answer = subprocess.run(
        command, env=dict(os.environ) | environment, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(answer.stderr[-2000:])
    told, _, figures = answer.stdout.rpartition(_SIGN)
    print(told.strip())
    peak, *efforts = map(float, figures.split())
    checked, brought, *undone = (Effort(*efforts[place : place + 2]) for place in range(0, len(efforts), 2))
    return Imported(checked, brought, undone[0] if undone else None, peak)


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
    path, subject, options, undo = sys.argv[1:]
    efforts = _imported(Path(path), subject, json.loads(options), undo=bool(undo))
    over.set()
    watching.join()
    print(_SIGN, (peak[0] - base) / 1e6, *(figure for one in efforts for figure in (one.wall, one.cpu)))


def _imported(path: Path, subject: str, options: dict[str, str], *, undo: bool) -> list[Effort]:
    """As the job does it."""
    from crm.kernel.work import Budget
    from crm.models import Import
    from crm.sheets import reading
    from crm.sheets.importing import acts, files, running
    from crm.sheets.matching import match
    from crm.sheets.subjects import subjects

    run = Import(subject=subject, name=path.name, options=options, created_at=NOW)
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

    efforts = [work(acts.check), work(acts.begin)]
    run.refresh_from_db()
    assert run.status == Import.Status.DONE, run.problem
    print(f"new {run.made:,}, changed {run.updated:,}, refused {run.refused:,}")
    if undo:
        efforts.append(work(acts.undo))
        run.refresh_from_db()
        assert run.status == Import.Status.UNDONE, run.problem
        print(f"undone {run.undone:,}, kept {run.kept:,}")
    files.path_of(run).unlink()
    return efforts


if __name__ == "__main__":
    main()
