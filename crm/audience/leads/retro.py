"""A wording held against the past: who would have become a lead, and did they buy more than others?

The rule is asked as of instants within a span, one at the end of each day of a span up to a month, one at the
end of each week of a longer one. Whoever it was true of at one of them would have become a lead at the first
such instant. What they bought in the 30 days from there is compared with what the others bought in the same
30 days, each instant counting as often as leads began at it. So neither a season nor a growing shop is
mistaken for a better lead. Test people are left out.

A look at the past costs what it costs: after some seconds it ends, and says how much of the span it saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction

from crm.audience.leads.people import in_time, known
from crm.kernel import rules

FOLLOWED = timedelta(days=30)
DAILY_UP_TO = timedelta(days=31)
SECONDS = 20.0
_FOR_COMPARING = 0.3  # of these seconds

_LEADS = """
SELECT w.at, count(*), count(*) FILTER (WHERE EXISTS (
    SELECT FROM crm_order o WHERE o.contact_id = w.contact_id AND o.status <> 'cancelled'
    AND o.occurred_at > w.at AND o.occurred_at <= least(w.at + %(followed)s, %(now)s)))
FROM would_be w GROUP BY w.at
"""
_OTHERS_WHO_BOUGHT = """
SELECT t.at, count(DISTINCT c.id)
FROM unnest(%(instants)s::timestamptz[]) AS t(at)
JOIN crm_order o ON o.occurred_at > t.at AND o.occurred_at <= least(t.at + %(followed)s, %(now)s)
    AND o.status <> 'cancelled'
JOIN crm_contact c ON c.id = o.contact_id AND c.created_at <= t.at AND c.recorded_at <= t.at
    AND c.merged_into_id IS NULL AND NOT c.is_test
WHERE NOT EXISTS (SELECT FROM would_be w WHERE w.contact_id = c.id)
GROUP BY t.at
"""
_OTHERS = """
WITH begun AS (
    SELECT count(*) AS people, width_bucket(
        greatest(c.created_at, c.recorded_at) - interval '1 microsecond', %(instants)s::timestamptz[]
    ) AS place
    FROM crm_contact c
    WHERE c.merged_into_id IS NULL AND NOT c.is_test
    AND NOT EXISTS (SELECT FROM would_be w WHERE w.contact_id = c.id)
    GROUP BY place
)
SELECT t.at, COALESCE(sum(begun.people), 0)::bigint
FROM unnest(%(instants)s::timestamptz[]) WITH ORDINALITY AS t(at, place)
LEFT JOIN begun ON begun.place < t.place
GROUP BY t.at
"""


@dataclass(frozen=True)
class Retro:
    """How a wording would have done. `others` are those known at the end whom it would not have made leads;
    `others_share` is how many of them bought in the same 30 days; None where there was no time to compare.
    """

    people: int = 0
    bought: int | None = None
    others: int | None = None
    others_share: float | None = None
    seen: int = 0  # instants looked at
    instants: int = 0
    seen_to: datetime | None = None
    is_followed: bool = True  # whether 30 days have gone by since the last instant
    problems: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.seen == self.instants and (self.bought is not None or not self.instants)

    @property
    def share(self) -> float | None:
        return self.bought / self.people if self.people and self.bought is not None else None

    @property
    def times(self) -> float | None:
        """How many times as often they bought; None where there is nobody to compare with."""
        return self.share / self.others_share if self.share is not None and self.others_share else None

    @property
    def sentence(self) -> str:
        if self.problems:
            return "The wording cannot be read, so nobody would have been a lead."
        people = "1 person" if self.people == 1 else f"{self.people:,} people"
        said = f"Under this wording {people} would have become leads"
        if self.share is not None:
            said += f"; {self.share:.1%} of them bought within 30 days"
            if self.times is not None:
                said += f", {self.times:.1f} times as often as the others ({self.others_share:.1%})"
            elif self.others:
                said += "; of the others, nobody did"
            if not self.is_followed:
                said += "; the last of them have not had 30 days for it yet"
        said += "."
        if self.seen < self.instants:
            far = f", up to {self.seen_to.day} {self.seen_to:%B %Y}" if self.seen_to else ""
            said += f" There was time to look at {self.seen} of {self.instants} instants only{far}."
        elif self.people and self.bought is None:
            said += " There was no time to look at what they bought."
        return said


def instants(start: datetime, end: datetime) -> list[datetime]:
    """The ends of the days, or of the weeks, of a span, counted back from its end."""
    step = timedelta(days=1 if end - start <= DAILY_UP_TO else 7)
    found = []
    at = end
    while at > start:
        found.append(at)
        at -= step
    return found[::-1]


def retro(is_lead: Any, start: datetime, end: datetime, now: datetime, *, seconds: float = SECONDS) -> Retro:
    """How the rule for *is a lead*, saved or not, would have done between two instants."""
    found = rules.problems(is_lead)
    if found:
        return Retro(problems=tuple(map(str, found)))
    asked = instants(start, min(end, now))
    ends = monotonic() + seconds
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.would_be")
        cursor.execute(
            "CREATE TEMPORARY TABLE would_be (contact_id uuid PRIMARY KEY, at timestamptz) ON COMMIT DROP"
        )
        seen: list[datetime] = []
        for at in asked:
            if not in_time(ends - seconds * _FOR_COMPARING, partial(_note, cursor, is_lead, at)):
                break
            seen.append(at)
        cursor.execute("SELECT count(*) FROM would_be")
        people = cursor.fetchone()[0]
        compared: list[tuple[int, int, float]] = []
        in_time(ends, lambda: compared.append(_compared(cursor, seen, now)))
    bought, others, share = compared[0] if compared else (None, None, None)
    return Retro(
        people=people,
        bought=bought,
        others=others,
        others_share=share,
        seen=len(seen),
        instants=len(asked),
        seen_to=seen[-1] if seen else None,
        is_followed=not seen or seen[-1] + FOLLOWED <= now,
    )


def _note(cursor: Any, is_lead: Any, at: datetime) -> None:
    """Those who would be leads at an instant and were not before."""
    meant = known(at).filter(rules.compile(is_lead, at), is_test=False).order_by().values("pk")
    try:
        query, params = meant.query.sql_with_params()
    except EmptyResultSet:
        return
    cursor.execute(
        f"INSERT INTO would_be SELECT meant.*, %s FROM ({query}) AS meant ON CONFLICT DO NOTHING",  # noqa: S608
        [at, *params],
    )


def _compared(cursor: Any, seen: Sequence[datetime], now: datetime) -> tuple[int, int, float]:
    """How many of the leads bought; how many others there were, and which share of those bought."""
    values = {"instants": list(seen), "followed": FOLLOWED, "now": now}
    cursor.execute(_LEADS, values)
    leads = cursor.fetchall()
    cursor.execute(_OTHERS_WHO_BOUGHT, values)
    buyers = dict(cursor.fetchall())
    cursor.execute(_OTHERS, values)
    others = dict(cursor.fetchall())
    begun = sum(count for _at, count, _bought in leads)
    expected = sum(count * buyers.get(at, 0) / others[at] for at, count, _bought in leads if others.get(at))
    return (
        sum(bought for _at, _count, bought in leads),
        others.get(seen[-1], 0) if seen else 0,
        expected / begun if begun else 0.0,
    )
