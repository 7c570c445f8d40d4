"""The shop's own rhythm: how long its people take from one order to the next, measured once a day.

What counts as an order: every one that was not cancelled, also one for nothing (a gift, a replacement: the
person came and ordered); several on one day of the shop's zone are one. Test persons are left out.

*The usual gap.* Gaps are compared by their logarithm, so that neither a pause of two years nor two orders
in two days moves the shop. Between and within people their variance is told apart (a random-effects model by
its moments), and the figure is the mean gap of the person in the middle. `pull` follows from the same two:
where people differ little and each is erratic, it takes many gaps of their own to outweigh the shop's.

*Second orders.* Those who bought once are still on their way: taking only the second orders that have come
would make the shop look quicker than it is, the more so the faster it grows. The share that has come by each
day is therefore estimated with everybody counted as long as they could be watched (Kaplan-Meier). Some never
come back: the shares by which somebody counts as at risk are of those who do, within the time that can be
seen, at most two years (`second_days`), and how many do is kept beside them (`comes_back`).

*The first weeks.* A shop that has seen few gaps, or only a short time, cannot know long ones. Until it has,
what it saw is mixed with a common shop's: 60 days, which weigh as much as twenty gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from crm.models import RiskSettings, ShopRhythm
from crm.shop.settings import this_shop

PRIOR_GAP, PRIOR_PULL, PRIOR_COMES_BACK = 60.0, 3.0, 0.4
PRIOR_WEIGHT = 20
WHOLE_TRUST_DAYS = 180
WATCHED_AT_MOST = 730
WATCHED_PEOPLE = 20
SHARES = tuple(percent / 100 for percent in range(1, 100))
NOTABLE = 0.02
"""People are measured anew when a figure moved by this share; less would only make them flicker."""

_DAYS = """
    WITH days AS MATERIALIZED (
        SELECT o.contact_id, min(o.occurred_at) AS at
        FROM crm_order AS o JOIN crm_contact AS c ON c.id = o.contact_id
        WHERE o.status <> 'cancelled' AND o.occurred_at <= %(now)s AND o.recorded_at <= %(now)s
            AND c.merged_into_id IS NULL AND NOT c.is_test
        GROUP BY o.contact_id, (o.occurred_at AT TIME ZONE %(zone)s)::date
    ),
    bought AS (
        SELECT contact_id, at, lag(at) OVER w AS before, lead(at) OVER w AS after
        FROM days WINDOW w AS (PARTITION BY contact_id ORDER BY at)
    )
"""
_GAPS = """,
    gaps AS (
        SELECT contact_id, ln(GREATEST(extract(epoch FROM at - before) / 86400, 1)::float8) AS length
        FROM bought WHERE before IS NOT NULL
    ),
    people AS (
        SELECT count(*) AS number, avg(length) AS mean,
            sum(length * length) - count(*) * avg(length) ^ 2 AS inner_squares
        FROM gaps GROUP BY contact_id
    )
    SELECT number, count(*), sum(mean), sum(mean * mean), sum(inner_squares) FROM people GROUP BY number
"""
_SECONDS = """
    SELECT floor(extract(epoch FROM COALESCE(after, %(now)s) - at) / 86400)::int AS length,
        count(after), count(*) - count(after)
    FROM bought WHERE before IS NULL GROUP BY 1 ORDER BY 1
"""
_SINCE = "SELECT min(occurred_at) FROM crm_order WHERE status <> 'cancelled' AND recorded_at <= %(now)s"


@dataclass(frozen=True)
class Gaps:
    """The usual gap of a shop's people, how much it pulls at one person's own, and how many were seen."""

    usual: float = PRIOR_GAP
    pull: float = PRIOR_PULL
    seen: int = 0


@dataclass(frozen=True)
class Seconds:
    """Within how many days 1 to 99 % of the second orders have come, and what share ever orders again."""

    days: Sequence[float]
    comes_back: float = PRIOR_COMES_BACK


def in_use(now: datetime) -> ShopRhythm:
    """What people are measured by; a shop that was never looked at is measured at once."""
    row = ShopRhythm.objects.filter(in_use_from__lte=now).order_by("-in_use_from").first()
    return row or keep(now)


def then(at: datetime) -> ShopRhythm:
    """What people were measured by; before anything was, the first there is. Stores nothing."""
    used = ShopRhythm.objects.exclude(in_use_from=None)
    row = used.filter(in_use_from__lte=at).order_by("-in_use_from").first()
    return row or used.order_by("in_use_from").first() or measured(at)


def keep(now: datetime) -> ShopRhythm:
    """Measure the shop and keep the day's figures. They come into use where they differ notably."""
    used = ShopRhythm.objects.filter(in_use_from__lte=now).order_by("-in_use_from").first()
    row = measured(now)
    if used is None or _differs(used, row):
        row.in_use_from = now
    elif used.on_day == row.on_day:
        return used
    row.save()
    return row


def measured(now: datetime) -> ShopRhythm:
    """The shop as its orders known by now say, not stored."""
    zone = this_shop().time_zone
    params = {"now": now, "zone": zone}
    first_at = _ask(_SINCE, params)[0][0]
    watched = (now - first_at).total_seconds() / 86400 if first_at else 0.0
    gaps = usual_gap(_ask(_DAYS + _GAPS, params), watched)
    seconds = second_orders(_ask(_DAYS + _SECONDS, params), watched, gaps.usual)
    row = ShopRhythm(
        on_day=now.astimezone(ZoneInfo(zone)).date(),
        computed_at=now,
        usual_gap_days=gaps.usual,
        pull=gaps.pull,
        gaps_seen=gaps.seen,
        comes_back=seconds.comes_back,
        second_days=list(seconds.days),
    )
    return apply(row, RiskSettings.objects.filter(pk=1).first() or RiskSettings())


def apply(row: ShopRhythm, risk: RiskSettings) -> ShopRhythm:
    """The days after which those who bought once count as cooling, at risk, lost, by the shares set."""
    row.once_cooling_days = days_until(risk.once_cooling_share, row.second_days)
    row.once_at_risk_days = max(
        days_until(risk.once_at_risk_share, row.second_days), row.once_cooling_days + 1
    )
    row.once_lost_days = max(days_until(risk.once_lost_share, row.second_days), row.once_at_risk_days + 1)
    return row


def days_until(share: float, second_days: Sequence[float]) -> float:
    """Days until this share of the second orders has come, between two hundredths in proportion."""
    place = min(max(share, SHARES[0]), SHARES[-1]) * 100 - 1
    low = min(int(place), len(second_days) - 2)
    return second_days[low] + (place - low) * (second_days[low + 1] - second_days[low])


def usual_gap(rows: Sequence[Sequence[Any]], watched: float) -> Gaps:
    """From people by their number of gaps: how many, the sums of their mean log gaps, of the squares of
    these, and of the squares within.
    """
    groups = [(int(n), int(k), float(m), float(mm), max(float(ss), 0.0)) for n, k, m, mm, ss in rows]
    gaps, people = sum(n * k for n, k, *_ in groups), sum(k for _n, k, *_ in groups)
    if people < 2 or gaps == people:
        return Gaps(seen=gaps)
    within = max(sum(ss for *_, ss in groups) / (gaps - people), 1e-6)
    grand = sum(n * m for n, _k, m, _mm, _ss in groups) / gaps
    spread = sum(n * (mm - 2 * grand * m + k * grand**2) for n, k, m, mm, _ss in groups) / (people - 1)
    size = (gaps - sum(n * n * k for n, k, *_ in groups) / gaps) / (people - 1)
    between = max((spread - within) / size, within / 10)
    weights = [1 / (between + within / n) for n, *_ in groups]
    middle = sum(w * m for w, (_n, _k, m, *_) in zip(weights, groups, strict=True)) / sum(
        w * k for w, (_n, k, *_) in zip(weights, groups, strict=True)
    )
    trust = _trust(gaps, watched)
    pull = min(max(within / between, 0.5), 10.0)
    return Gaps(
        usual=max(exp(trust * (middle + within / 2) + (1 - trust) * log(PRIOR_GAP)), 1.0),
        pull=trust * pull + (1 - trust) * PRIOR_PULL,
        seen=gaps,
    )


def second_orders(rows: Sequence[Sequence[int]], watched: float, gap: float) -> Seconds:
    """From first-time buyers by days, how many ordered again after so many, how many were only watched for
    so many.
    """
    prior = [-gap * log(1 - share) for share in SHARES]
    staying, left, curve, seen = 1.0, sum(came + not_yet for _d, came, not_yet in rows), [], 0
    for days, came, not_yet in rows:
        if left < WATCHED_PEOPLE or days > WATCHED_AT_MOST:
            break
        staying *= 1 - came / left
        left -= came + not_yet
        seen += came
        curve.append((days + 1, 1 - staying))
    if not seen:
        return Seconds(prior)
    last = curve[-1][1]
    trust = _trust(seen, watched)
    days_seen = [next(day for day, share in curve if share >= wanted * last) for wanted in SHARES]
    mixed = [
        exp(trust * log(found) + (1 - trust) * log(expected))
        for found, expected in zip(days_seen, prior, strict=True)
    ]
    return Seconds(mixed, trust * last + (1 - trust) * PRIOR_COMES_BACK)


def _trust(seen: int, watched: float) -> float:
    """From 0 to 1: what was seen against what is commonly so."""
    return seen / (seen + PRIOR_WEIGHT) * min(watched / WHOLE_TRUST_DAYS, 1.0)


def _differs(used: ShopRhythm, row: ShopRhythm) -> bool:
    names = (
        "usual_gap_days",
        "pull",
        "comes_back",
        "once_cooling_days",
        "once_at_risk_days",
        "once_lost_days",
    )
    return any(
        abs(getattr(row, name) - getattr(used, name)) > NOTABLE * abs(getattr(used, name)) for name in names
    )


def _ask(statement: str, params: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
