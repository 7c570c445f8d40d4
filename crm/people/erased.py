"""Who was erased, kept beside the database as well: a backup that is brought back knows nothing of what came
after it.

One line an address: its keyed hash, the channel, and when. The list names nobody.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from crm.models import ContactPoint, Erasure

AT_ONCE = 1000


def path() -> Path:
    """The list; may not exist yet."""
    return Path(settings.REKINDLE_ERASED)


def keep_up(now: datetime) -> int:
    """Write down whoever was erased and does not stand on the list. Returns how many addresses. Raises
    OSError where it cannot be written; then they wait.

    What waits was committed with the erasure itself, so no crash forgets it. One between the list and the
    commit here writes an address twice, which does no harm.
    """
    with transaction.atomic():
        held = Erasure.objects.select_for_update(skip_locked=True).filter(noted_at=None).order_by("erased_at")
        waiting = list(held[:AT_ONCE])
        if waiting:
            _note((bytes(one.address_hash), one.channel, one.erased_at) for one in waiting)
            Erasure.objects.filter(pk__in=[one.pk for one in waiting]).update(noted_at=now)
    return len(waiting)


def again() -> set[UUID]:
    """Who has an address that was erased after they were first known: only a backup knows them still."""
    people: set[UUID] = set()
    for digest, channel, at in _lines():
        points = ContactPoint.objects.filter(
            address_hash=digest, channel=channel, contact__recorded_at__lt=at, contact__merged_into=None
        )
        people.update(points.values_list("contact_id", flat=True))
    return people


def _note(addresses: Iterable[tuple[bytes, str, datetime]]) -> None:
    """Write addresses down for good."""
    lines = [json.dumps([digest.hex(), channel, at.isoformat()]) for digest, channel, at in addresses]
    path().parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
        torn = file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) + 1 and file.read(1) != b"\n"
        # What a crash cut short stays a line of its own.
        file.write("".join([*(["\n"] if torn else []), *(f"{line}\n" for line in lines)]).encode())
        file.flush()
        os.fsync(file.fileno())


def _lines() -> Iterator[tuple[bytes, str, datetime]]:
    if not path().exists():
        return
    for line in path().read_text(encoding="utf-8").splitlines():
        try:
            digest, channel, at = json.loads(line)
            yield bytes.fromhex(digest), channel, datetime.fromisoformat(at)
        except (ValueError, TypeError):
            continue  # A line that a crash cut short: what it was of was written anew.
