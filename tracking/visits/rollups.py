"""Rollups kept up with the events they count: daily counts, and visits.

Whoever stores events counts them in the same transaction (`count`), and only what was really stored. Whoever
moves or deletes events of some people counts those people anew (`recount`). Both end the same whatever the
order: counts are added, and a visit is laid anew from the events around it, so that a late act lengthens it,
or makes one visit of two. `make` counts a month anew from the events alone.

Events that were there before rollups were have their months noted (`UnrolledMonth`), and until the last of
these is made (`make_waiting`) rules ask the history: `are_whole`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from crm.kernel.work import Budget
from crm.models.writing import UUID7
from crm.people.stirring import stir
from tracking.models import DailyCount, UnrolledMonth, Visit
from tracking.visits import sessions, turns
from tracking.visits.sessions import BY_PEOPLE, COLUMNS, GAP, VISITING

# Events as `e`, and which of them: those just stored, those of some people, those of some time.
STORED = (
    "unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) AS stored (id, occurred_at)"
    " JOIN tracking_event AS e ON e.id = stored.id AND e.occurred_at = stored.occurred_at"
    " WHERE e.occurred_at BETWEEN %(since)s AND %(until)s AND "
)
OF_PEOPLE = "tracking_event AS e WHERE e.contact_id = ANY(%(people)s::uuid[]) AND "
OF_A_TIME = "tracking_event AS e WHERE e.occurred_at >= %(since)s AND e.occurred_at < %(until)s AND "
ALL = "tracking_event AS e WHERE "

# As rules spell them, too: letters made small by the database, and an own event by its name.
KIND = (
    "CASE WHEN e.kind = 'custom' THEN left('custom:' || COALESCE(e.props->>'event', ''), 60) ELSE e.kind END"
)
CATEGORY = "COALESCE(left(lower(e.props->>'category'), 200), '')"
BRAND = "COALESCE(left(lower(e.props->>'brand'), 120), '')"


def count(stored: Sequence[tuple[UUID, datetime]]) -> None:
    """Add events that this transaction has stored, by id and instant."""
    if not stored:
        return
    moments = [at for _, at in stored]
    params: dict[str, Any] = {
        "ids": [event_id for event_id, _ in stored],
        "moments": moments,
        "since": min(moments),
        "until": max(moments),
    }
    with connection.cursor() as cursor:
        cursor.execute(_add(STORED), params)
        cursor.execute(_lay(STORED), params)


def recount(contact_ids: Iterable[UUID]) -> None:
    """Count all events of these people anew: after a copy, a merge, an erasure."""
    people = sorted(set(contact_ids))
    if not people:
        return
    with transaction.atomic():
        turns.wait()
        DailyCount.objects.filter(contact_id__in=people).delete()
        Visit.objects.filter(contact_id__in=people).delete()
        with connection.cursor() as cursor:
            cursor.execute(_add(OF_PEOPLE), {"people": people})
            cursor.execute(_lay(OF_PEOPLE), {"people": people})
        stir(people)


def make(month: date) -> None:
    """Count one month anew, while nobody else counts."""
    with transaction.atomic():
        turns.wait()
        params = _month(month)
        DailyCount.objects.filter(on_day__gte=month, on_day__lt=following(month)).delete()
        Visit.objects.filter(started_at__gte=params["since"], started_at__lt=params["until"]).delete()
        with connection.cursor() as cursor:
            cursor.execute(_add(OF_A_TIME), params)
            cursor.execute(_lay(OF_A_TIME), params)
        UnrolledMonth.objects.filter(month=month).delete()


def make_waiting(budget: Budget) -> int:
    """Make the months that wait, the newest first. Returns how many."""
    made = 0
    for month in list(UnrolledMonth.objects.order_by("-month").values_list("month", flat=True)):
        if made and not budget:
            break
        make(month)
        made += 1
    return made


_whole = False


def are_whole() -> bool:
    """Whether rollups hold all events there are: once so, always so."""
    global _whole
    _whole = _whole or not UnrolledMonth.objects.exists()
    return _whole


def months(since: date | None = None) -> list[date]:
    """The months that have events or counts, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_SPAN)
        first, last = cursor.fetchone()
    found = []
    month = max(first, since.replace(day=1)) if first and since else first
    while month and month <= last:
        found.append(month)
        month = following(month)
    return found


def following(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def differences() -> dict[str, int]:
    """How many rows are not what counting everything anew gives, or are missing. Takes minutes on a large
    database.
    """
    found = {}
    with transaction.atomic(), connection.cursor() as cursor:
        turns.wait()
        for name, table, columns, anew in (
            ("counts", "tracking_dailycount", _COUNTED, _counts(ALL)),
            ("visits", "tracking_visit", COLUMNS, sessions.visits(f"{ALL} {VISITING}")),
        ):
            listed = ", ".join(columns)
            cursor.execute(_DIFFERENT.format(columns=listed, table=table, anew=anew), {})
            found[name] = cursor.fetchone()[0]
    return found


_COUNTED = ("contact_id", "on_day", "kind", "product_id", "category", "brand", "number")


def _counts(events: str) -> str:
    return f"""
    SELECT e.contact_id, (e.occurred_at AT TIME ZONE 'UTC')::date AS on_day, {KIND} AS kind, e.product_id,
        {CATEGORY} AS category, {BRAND} AS brand, count(*)::int AS number
    FROM {events} {BY_PEOPLE} AND e.kind <> 'open'
    GROUP BY 1, 2, 3, 4, 5, 6
    """  # noqa: S608 - our own columns


def _add(events: str) -> str:
    key = UUID7.replace("%s", "extract(epoch FROM counted.on_day)::bigint * 1000")
    return f"""
    INSERT INTO tracking_dailycount (id, {", ".join(_COUNTED)})
    SELECT {key}, counted.* FROM ({_counts(events)}) AS counted
    ON CONFLICT ON CONSTRAINT one_count_a_day
        DO UPDATE SET number = tracking_dailycount.number + EXCLUDED.number
    """  # noqa: S608 - our own columns


def _lay(events: str) -> str:
    """Visits around these events, laid anew: `span` is from the first act of the first visit they touch to
    the last of the last, so that only whole visits lie within. With `first` a visit begins, before and after.
    """
    key = UUID7.replace("%s", "floor(extract(epoch FROM fresh.started_at) * 1000)")
    same = "v.contact_id = {0}.contact_id AND v.visitor_id IS NOT DISTINCT FROM {0}.visitor_id"
    around = (
        "tracking_event AS e JOIN span ON e.contact_id = span.contact_id"
        " AND e.visitor_id IS NOT DISTINCT FROM span.visitor_id"
        f" AND e.occurred_at BETWEEN span.first AND span.last WHERE {VISITING}"
    )
    changes = ", ".join(f"{name} = fresh.{name}" for name in COLUMNS[3:])
    return f"""
    WITH touched AS MATERIALIZED (
        SELECT e.contact_id, e.visitor_id, min(e.occurred_at) AS first, max(e.occurred_at) AS last
        FROM {events} {VISITING}
        GROUP BY e.contact_id, e.visitor_id
    ), span AS MATERIALIZED (
        SELECT touched.contact_id, touched.visitor_id,
            LEAST(touched.first, min(v.started_at)) AS first, GREATEST(touched.last, max(v.ended_at)) AS last
        FROM touched LEFT JOIN tracking_visit AS v ON {same.format("touched")}
            AND v.started_at < touched.last + {GAP} AND v.ended_at > touched.first - {GAP}
        GROUP BY touched.contact_id, touched.visitor_id, touched.first, touched.last
    ), fresh AS MATERIALIZED ({sessions.visits(around)}),
    gone AS (
        DELETE FROM tracking_visit AS v USING span
        WHERE {same.format("span")} AND v.started_at > span.first AND v.started_at <= span.last
            AND NOT EXISTS (
                SELECT FROM fresh WHERE {same.format("fresh")} AND fresh.started_at = v.started_at
            )
    ), kept AS (
        UPDATE tracking_visit AS v SET {changes} FROM fresh
        WHERE {same.format("fresh")} AND v.started_at = fresh.started_at
    )
    INSERT INTO tracking_visit (id, {", ".join(COLUMNS)})
    SELECT {key}, {", ".join(f"fresh.{name}" for name in COLUMNS)} FROM fresh
    WHERE NOT EXISTS (
        SELECT FROM tracking_visit AS v WHERE {same.format("fresh")} AND v.started_at = fresh.started_at
    )
    """  # noqa: S608 - our own columns


_SPAN = """
    SELECT date_trunc('month', min(first) AT TIME ZONE 'UTC')::date,
        date_trunc('month', max(last) AT TIME ZONE 'UTC')::date
    FROM (
        SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM tracking_event
        UNION ALL SELECT min(on_day)::timestamp AT TIME ZONE 'UTC', max(on_day)::timestamp AT TIME ZONE 'UTC'
        FROM tracking_dailycount
    ) AS spans
"""
_DIFFERENT = """
    WITH kept AS MATERIALIZED (SELECT {columns} FROM {table}),
    anew AS MATERIALIZED (SELECT {columns} FROM ({anew}) AS found)
    SELECT (SELECT count(*) FROM (TABLE kept EXCEPT ALL TABLE anew) AS k)
        + (SELECT count(*) FROM (TABLE anew EXCEPT ALL TABLE kept) AS a)
"""


def _month(month: date) -> dict[str, Any]:
    first, after = (datetime(day.year, day.month, 1, tzinfo=UTC) for day in (month, following(month)))
    return {"since": first, "until": after}
