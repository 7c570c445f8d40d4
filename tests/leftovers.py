"""What a killed test may leave behind: processes that work in its folder, sockets elsewhere, the folder."""

import shutil
from contextlib import suppress
from pathlib import Path

import psutil

from config.embedded import places


def processes_in(folder: Path) -> list[psutil.Process]:
    """Our programs whose data lies there, by their environment; servers by where they stand."""
    found = []
    for process in psutil.process_iter():
        try:
            data = process.environ().get("REKINDLE_VAR")
            ours = bool(data) and Path(str(data)).is_relative_to(folder)
            ours = ours or Path(process.cwd()).is_relative_to(folder)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(folder: Path) -> None:
    """Without warning; some are gone already because another one was."""
    found = processes_in(folder)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=10)


def clear(folder: Path) -> None:
    """Nothing of it is left, whoever made it."""
    if not folder.exists():
        return
    kill(folder)
    for home in (folder, *folder.glob("*"), *folder.glob("*/*")):
        for sockets in Path("/tmp").glob(f"rekindle-*-{places.short_hash(home)}"):
            shutil.rmtree(sockets, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
