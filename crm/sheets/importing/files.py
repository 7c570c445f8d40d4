"""Where files that come in are kept: in a folder of their own that nothing serves, for a stated time."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from crm.models import Import, ImportRow

KEPT = timedelta(days=30)
"""So long after its last work an import can be undone; then its file and its rows are deleted."""

LARGEST = 512 * 1024 * 1024


class TooLarge(ValueError):
    """More than we take in one file; says what to do."""


def path_of(run: Import) -> Path:
    """The file of an import; may not exist any more."""
    return Path(settings.REKINDLE_IMPORTS) / run.pk.hex


def keep(run: Import, chunks: Iterable[bytes]) -> None:
    """Write the file of an import, readable by the program alone, and note its size."""
    path = path_of(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    size = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > LARGEST:
                break
            file.write(chunk)
    if size > LARGEST:
        path.unlink()
        raise TooLarge(
            f"The file is larger than {LARGEST // 1024 // 1024} MB. Save it as CSV, or split it into parts."
        )
    run.size = size


def forget(run: Import) -> None:
    """Delete the file and the rows; what came in stays, and can no longer be undone."""
    path_of(run).unlink(missing_ok=True)
    with transaction.atomic():
        ImportRow.objects.filter(run=run).delete()
        Import.objects.filter(pk=run.pk).update(is_cleared=True)


def tidy(now: datetime) -> int:
    """Delete files and rows whose time is over, and imports that were left unused. Returns how many."""
    old = Import.objects.filter(is_cleared=False, created_at__lt=now - KEPT).exclude(status__in=Import.BUSY)
    over = [run for run in old if (run.ended_at or run.created_at) < now - KEPT]
    for run in over:
        forget(run)
        if run.status in (Import.Status.SEEN, Import.Status.CHECKED):
            run.delete()
    return len(over)
