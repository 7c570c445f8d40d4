"""Whom rules about leads are asked of: people known by then, a batch of them or everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F, QuerySet

from crm.kernel.rules import AnyOf
from crm.models import Contact


def known(at: datetime, among: Sequence[UUID] | None = None) -> QuerySet[Contact]:
    """People known by then and not merged into somebody else; among these alone where some are named."""
    people = Contact.objects.filter(merged_into=None, created_at__lte=at, recorded_at__lte=at)
    return people if among is None else people.filter(AnyOf(F("pk"), among))


def limit_statements(seconds: float) -> None:
    """No statement of this transaction may take longer; 0: as long as it takes."""
    with connection.cursor() as cursor:
        milliseconds = str(max(int(seconds * 1000), 1) if seconds else 0)
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [milliseconds])


def in_time(ends: float, work: Callable[[], Any]) -> bool:
    """Whether it was done before that reading of the monotonic clock; what was not done leaves no trace."""
    left = ends - monotonic()
    if left <= 0:
        return False
    try:
        with transaction.atomic():
            limit_statements(left)
            work()
            limit_statements(0)
    except OperationalError:
        return False
    return True
