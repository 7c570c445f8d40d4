"""Who stands where: active, cooling, at risk or lost, kept up in one statement for everybody or for some.

Two clocks. Whoever bought is measured by their own rhythm, from their last purchase day; the registered who
never bought by their last visit, click or reply. Test persons and merged contacts stand nowhere.

A move carries the instant it became true, whenever it is found: the one at which a gap grew too long, or of
the order that ended it. What became known late (an order told of days after) is one move to where it leads.
Two things move people though nothing happened to them:

- the shop's rhythm came into use anew: whoever is now measured more strictly moves at that moment; nobody
  moves back by it, for somebody at risk who was not for a day would be newly at risk twice.
- a marketer changed the thresholds: everybody is measured anew, in both directions, and each move is dated
  where the new thresholds put it. So nobody is *newly* at risk because of a form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from crm.audience import counting, occasions, rhythm
from crm.audience.standing_refresh import STATEMENT
from crm.models import RiskSettings, Standing, StandingUpkeep
from crm.models.writing import milliseconds
from crm.people import stirring
from crm.shop.settings import this_shop

_SOME_AT_MOST = 25_000


@dataclass(frozen=True)
class Found:
    """How many rows changed, and how many moves that were."""

    changed: int = 0
    moves: int = 0


def refresh(now: datetime, among: Sequence[UUID] | None = None) -> Found:
    """Everybody's standing, or some people's, measured by what is in use now."""
    with transaction.atomic():
        upkeep = _locked()
        if among is None:
            return _refresh_all(upkeep, now)
        return _write(upkeep, now, among, anew=False)


def refresh_changed(now: datetime) -> Found:
    """The standing of whoever something was written about since the last look, and of those whom time moves.

    Everybody's, where the thresholds were changed or the shop's rhythm came into use anew.
    """
    with transaction.atomic():
        upkeep = _locked()
        since, mark = rhythm.in_use(now).in_use_from, stirring.mark()
        is_measured = upkeep.swept_at and since and upkeep.swept_at > since
        if not is_measured or upkeep.measured_at != risk_settings().changed_at or upkeep.marked > mark:
            return _refresh_all(upkeep, now)
        turning = Standing.objects.filter(turns_at__lte=now).values("contact_id")
        asked = stirring.stirred_since(upkeep.marked).union(turning).values_list("contact_id", flat=True)
        people = list(asked[: _SOME_AT_MOST + 1])
        if len(people) > _SOME_AT_MOST:
            return _refresh_all(upkeep, now)
        found = _write(upkeep, now, people, anew=False) if people else Found()
        _settle(upkeep, now, mark)
        return found


def keep_up(now: datetime) -> int:
    """What the tick does: the standings, and after midnight the counts of the day that ended."""
    with transaction.atomic():
        found = refresh_changed(now)
        upkeep = _locked()
        ended = now.astimezone(ZoneInfo(this_shop().time_zone)).date() - timedelta(days=1)
        if upkeep.counted_day is None or upkeep.counted_day < ended:
            counting.count_until(ended, upkeep.counted_day, now)
            upkeep.counted_day = ended
            upkeep.save(update_fields=["counted_day"])
    return found.changed


def begin_anew(now: datetime, history: str) -> Found:
    """Everybody's standing as if nobody had ever stood anywhere, without a move: history is written apart."""
    upkeep = _locked()
    Standing.objects.all().delete()
    mark = stirring.mark()
    found = _write(upkeep, now, None, anew=False, history=history)
    _settle(upkeep, now, mark)
    return found


@contextmanager
def of_everybody() -> Iterator[None]:
    """The planner has no figures of what a statement finds on its way, and takes everybody for one person:
    asked of everybody it shall not look each up. Within a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield
        cursor.execute("SET LOCAL enable_nestloop = on")


def risk_settings() -> RiskSettings:
    return RiskSettings.objects.filter(pk=1).first() or RiskSettings()


def _locked() -> StandingUpkeep:
    StandingUpkeep.objects.get_or_create(pk=1)
    return StandingUpkeep.objects.select_for_update().get(pk=1)


def _refresh_all(upkeep: StandingUpkeep, now: datetime) -> Found:
    mark = stirring.mark()
    anew = upkeep.swept_at is not None and upkeep.measured_at != risk_settings().changed_at
    found = _write(upkeep, now, None, anew=anew)
    _settle(upkeep, now, mark)
    return found


def _settle(upkeep: StandingUpkeep, now: datetime, mark: int) -> None:
    upkeep.marked, upkeep.swept_at, upkeep.measured_at = mark, now, risk_settings().changed_at
    upkeep.save(update_fields=["marked", "swept_at", "measured_at"])


def _write(
    upkeep: StandingUpkeep,
    now: datetime,
    among: Sequence[UUID] | None,
    *,
    anew: bool,
    history: str = "",
) -> Found:
    risk, used = risk_settings(), rhythm.in_use(now)
    if among is None:
        rhythm.apply(used, risk).save()
    asked = {
        "until": upkeep.swept_at or now,
        "anew": anew,
        "with_moves": not history,
        "milliseconds": milliseconds(now),
    }
    statement = STATEMENT.format(
        marks=occasions.marks(among, history=history),
        of_standing="" if among is None else "AND s.contact_id = ANY(%(among)s::uuid[])",
    )
    with connection.cursor() as cursor, of_everybody() if among is None else nullcontext():
        cursor.execute(statement, occasions.measures(now, used, risk, among) | asked)
        return Found(*cursor.fetchone())
