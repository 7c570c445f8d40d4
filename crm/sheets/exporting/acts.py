"""What people do with exports: ask for one, stop it, fetch its file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F

from crm.models import Export
from crm.sheets.exporting import files
from crm.sheets.exporting.listing import Listing, Refused, in_words
from crm.ticking import ring

MOST_AT_ONCE = 5
"""So many one person has in the making at the same time."""


class Gone(Exception):
    """There is no file (any more); says what to do."""


def ask(
    listing: Listing, columns: Sequence[str], form: str, now: datetime, *, is_fresh: bool = False
) -> Export:
    """Ask for a list as a file; `is_fresh` says that they typed their password just now. Raises Refused with
    what to do about it.
    """
    user: Any = listing.request.user
    if Export.objects.filter(made_by=user, status__in=Export.BUSY).count() >= MOST_AT_ONCE:
        raise Refused(f"{MOST_AT_ONCE} of your exports are in the making. Wait for one, or stop one.")
    with transaction.atomic():
        export = Export.objects.create(
            table=listing.model._meta.label_lower,
            title=listing.title,
            query=listing.request.GET.urlencode(),
            told=in_words(listing.changes()),
            columns=list(columns),
            format=form,
            made_by=user,
            made_by_name=user.get_username(),
            created_at=now,
            password_at=now if is_fresh else None,
        )
        ring("crm.exports")
    return export


def stop(export: Export, now: datetime) -> bool:
    """Make no more of it. False where it was over already."""
    stopped = Export.objects.filter(pk=export.pk, status__in=Export.BUSY)
    if not stopped.update(status=Export.Status.STOPPED, ended_at=now):
        return False
    files.forget(export)
    return True


def fetch(export: Export, now: datetime) -> Path:
    """The file, and a note that it was fetched. Raises Gone."""
    path = files.path_of(export)
    if export.status != Export.Status.DONE or export.expires_at is None or export.expires_at <= now:
        raise Gone("This file is deleted: its 24 hours are over. Export the list once more.")
    if not path.exists():
        raise Gone("The file is not on this machine. Export the list once more.")
    Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1, downloaded_at=now)
    return path


def last_chosen(user: Any, label: str) -> list[str]:
    """The columns this person took of this list the last time."""
    return Export.objects.filter(made_by=user, table=label).values_list("columns", flat=True).first() or []
