"""Whom a rule would mean, while it is being edited: how many, over which channels, and a few of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef

from crm.access import reach
from crm.audience.segmentation import NOW, members
from crm.kernel import rules
from crm.kernel.patience import within
from crm.models import Channel, Contact, ContactPoint

COUNT_SECONDS = 0.9
EXTRA_SECONDS = 0.35
_SAMPLE = 4000
_WORTH_COUNTING = 50_000


@dataclass(frozen=True)
class Preview:
    """What a builder shows beside a rule.

    `count` is None where even a sample took too long, and about right where `is_estimate`; `by_channel`
    counts who has an address that has not bounced for good, and is empty where that took too long.
    """

    count: int | None
    total: int
    contacts: Sequence[Contact] = ()
    is_estimate: bool = False
    by_channel: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[rules.Problem] = ()
    seconds: float = 0.0


def preview(rule: Any, now: datetime, *, limit: int = 10, scope: rules.Scope = NOW) -> Preview:
    """How many people a rule means, and the newest few, within what a person waits for an answer."""
    started = monotonic()
    total = _everybody()
    found = rules.problems(rule, scope.offers)
    if found:
        return Preview(0, total, problems=found, seconds=monotonic() - started)
    meant = members(rule, now, scope)
    count, is_estimate = within(COUNT_SECONDS, meant.count), False
    channels: Mapping[str, int] | None = None
    if count is None:
        count, is_estimate = _estimated(rule, now, scope, total), True
    else:
        channels = within(EXTRA_SECONDS, lambda: _by_channel(rule, now, scope))
    newest = reach.seen(meant).order_by("-created_at", "-pk")[:limit]
    shown = within(EXTRA_SECONDS, lambda: list(newest)) if count != 0 or is_estimate else []
    return Preview(count, total, shown or [], is_estimate, channels or {}, seconds=monotonic() - started)


def _by_channel(rule: Any, now: datetime, scope: rules.Scope) -> dict[str, int]:
    usable = [ContactPoint.Status.OK, ContactPoint.Status.SOFT]
    points = ContactPoint.objects.filter(
        Exists(members(rule, now, scope).filter(pk=OuterRef("contact_id"))), status__in=usable
    )
    counted = points.order_by().values("channel").annotate(people=Count("contact", distinct=True))
    found = dict(counted.values_list("channel", "people"))
    return {channel: found.get(channel, 0) for channel in (Channel.EMAIL.value, Channel.SMS.value)}


def _estimated(rule: Any, now: datetime, scope: rules.Scope, total: int) -> int | None:
    """The share among some thousand people taken anywhere, of everybody."""
    people = within(EXTRA_SECONDS, lambda: _some(total))
    if not people:
        return None
    meant = members(rule, now, replace(scope, among=people))
    hits = within(EXTRA_SECONDS, meant.count)
    return None if hits is None else round(total * hits / len(people))


def _some(total: int) -> list[UUID]:
    percent = min(100.0, 100.0 * 2 * _SAMPLE / max(total, 1))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM crm_contact TABLESAMPLE SYSTEM (%s) WHERE merged_into_id IS NULL LIMIT %s",
            [percent, _SAMPLE],
        )
        return [row[0] for row in cursor.fetchall()]


def _everybody() -> int:
    """How many people there are; of very many, as the database last counted them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'crm_contact'::regclass")
        told = cursor.fetchone()[0]
    return told if told > _WORTH_COUNTING else Contact.objects.filter(merged_into=None).count()
