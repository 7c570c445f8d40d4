"""Where lists that leave lie: in a folder of their own that nothing serves, for a stated time."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from crm.models import Export


def path_of(export: Export, what: str = "") -> Path:
    """The finished file of an export, or the one of its `keys` or `rows` in the making; may not exist."""
    return Path(settings.REKINDLE_EXPORTS) / f"{export.pk.hex}.{what or export.format}"


def create(path: Path) -> IO[bytes]:
    """A new file, readable by the program alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")


def forget(export: Export) -> None:
    """Delete all there is of it; the row of it stays."""
    for what in ("keys", "rows", *Export.Format.values):
        path_of(export, what).unlink(missing_ok=True)


def tidy(now: datetime) -> int:
    """Delete files whose time is over. Returns how many."""
    return expire(Export.objects.filter(status=Export.Status.DONE, expires_at__lte=now))


def expire(over: Any) -> int:
    """Delete the files of these exports before their time is over, or after. Returns how many."""
    count = 0
    for export in over:
        forget(export)
        count += Export.objects.filter(pk=export.pk).update(status=Export.Status.EXPIRED)
    return count
