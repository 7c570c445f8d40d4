"""Statuses kept up by their rules: given to whoever the rule means, renewed at the end of a term, or ended.

Of everybody the rule is asked once a day; in between of those alone whom something was written about or whom
time moved. A rule that cannot be read gives nothing and takes nothing: terms that would run out meanwhile go
on from day to day until it is mended.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet

from crm.audience.segmentation import NOW, members
from crm.kernel import rules
from crm.kernel.patience import TookTooLong, at_most
from crm.kernel.work import Budget
from crm.models import ContactStatus, Status
from crm.models.writing import UUID7, milliseconds
from crm.people import stirring

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
# What others stored with an instant of their own may be seen a little after it.
_OVERLAP = timedelta(minutes=15)
_SOME_AT_MOST = 25_000
# Renewed so long before its end, so that nobody is without it for a minute in between.
AHEAD = _DAY

_GRANT = f"""
    WITH meant(id) AS MATERIALIZED ({{meant}}),
    come AS (
        INSERT INTO crm_contactstatus (id, contact_id, status_id, occurred_at, recorded_at, is_backfill,
            until, granted_by, renewals, ended_by)
        SELECT {UUID7}, meant.id, %s, %s, %s, false, %s, '', 0, '' FROM meant
        WHERE NOT EXISTS (
            SELECT FROM crm_contactstatus AS term
            WHERE term.contact_id = meant.id AND term.status_id = %s AND term.until > %s
        )
        ORDER BY meant.id
        ON CONFLICT DO NOTHING
        RETURNING contact_id
    ),
    stirred AS (
        INSERT INTO crm_engagement (id, contact_id, order_count, spent, stirred)
        SELECT {UUID7}, contact_id, 0, 0, {stirring.OWN} FROM come ORDER BY contact_id
        ON CONFLICT (contact_id) DO UPDATE SET stirred = EXCLUDED.stirred
        RETURNING 1
    )
    SELECT count(*) FROM come
"""  # noqa: S608 - our own columns

logger = logging.getLogger(__name__)


def keep_up(now: datetime, budget: Budget) -> int:
    """Renew, end and give. Returns how many terms began, were renewed or ended."""
    worked = 0
    for pk in Status.objects.order_by(F("swept_at").asc(nulls_first=True)).values_list("pk", flat=True):
        if not budget:
            break
        worked += _one(pk, now)
    return worked


def _one(pk: UUID, now: datetime) -> int:
    with transaction.atomic():
        status = (
            Status.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
            .filter(pk=pk)
            .first()
        )
        if status is None:
            return 0
        try:
            with transaction.atomic(), at_most(settings.REKINDLE_SEGMENT_SECONDS):
                return refresh(status, now)
        except (DatabaseError, TookTooLong) as error:
            logger.warning("The status %s could not be kept up: %s", status.pk, error)
            status.problem, status.swept_at = f"It could not be kept up: {error}"[:1000], now
            status.save(update_fields=["problem", "swept_at"])
            return _prolong(status, now) + _run_out(status, now)


def refresh(status: Status, now: datetime) -> int:
    """One status, within a transaction."""
    if rules.is_blank(status.rule):
        return _run_out(status, now)
    found = rules.problems(status.rule)
    if found:
        status.problem, status.swept_at = "; ".join(map(str, found)), now
        status.save(update_fields=["problem", "swept_at"])
        return _prolong(status, now) + _run_out(status, now)
    mark = stirring.mark()
    asked = _asked(status, now, mark)
    worked = _renew(status, now) + _run_out(status, now)
    if asked is None or asked:
        worked += _grant(status, now, asked)
    status.problem, status.marked, status.swept_at = "", mark, now
    status.refreshed_at = now if asked is None else status.refreshed_at
    status.save(update_fields=["problem", "marked", "swept_at", "refreshed_at"])
    return worked


def _asked(status: Status, now: datetime, mark: int) -> list[UUID] | None:
    """Whom to ask; None: everybody."""
    last, swept = status.refreshed_at, status.swept_at
    if last is None or swept is None or status.problem or not 0 < status.marked <= mark or now - last >= _DAY:
        return None
    turned = rules.drift(status.rule, swept - _OVERLAP, now, NOW)
    if turned is None and now - last >= _HOUR:
        return None
    found = stirring.stirred_since(status.marked).union(*(turned or ()))
    people: list[UUID] = list(found.values_list("contact_id", flat=True)[: _SOME_AT_MOST + 1])
    return people if len(people) <= _SOME_AT_MOST else None


def _grant(status: Status, now: datetime, among: Sequence[UUID] | None) -> int:
    meant = members(status.rule, now, NOW if among is None else replace(NOW, among=among))
    try:
        sql, params = meant.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0
    until, instant = now + timedelta(days=status.lasts_days), milliseconds(now)
    told: list[Any] = [instant, status.pk, now, now, until, status.pk, now, instant]
    with connection.cursor() as cursor:
        cursor.execute(_GRANT.format(meant=sql), [*params, *told])
        return cursor.fetchone()[0]


def _renew(status: Status, now: datetime) -> int:
    """The terms about to end of whom the rule is true: from their end on, another term."""
    ending = _running(status).filter(until__lte=now + AHEAD).order_by("until")
    people = list(ending.values_list("contact_id", flat=True)[:_SOME_AT_MOST])
    if not people:
        return 0
    true = members(status.rule, now, replace(NOW, among=people)).values("pk")
    renewed = _running(status).filter(contact_id__in=people, until__lte=now + AHEAD)
    return renewed.filter(contact_id__in=list(true.values_list("pk", flat=True))).update(
        until=F("until") + timedelta(days=status.lasts_days), renewals=F("renewals") + 1, renewed_at=now
    )


def _prolong(status: Status, now: datetime) -> int:
    return _running(status).filter(until__gt=now, until__lte=now + AHEAD).update(until=F("until") + _DAY)


def _run_out(status: Status, now: datetime) -> int:
    return _running(status).filter(until__lte=now).update(ended_at=F("until"))


def _running(status: Status) -> QuerySet[ContactStatus]:
    return ContactStatus.objects.filter(status=status, ended_at=None)
