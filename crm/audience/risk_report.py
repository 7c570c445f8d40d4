"""What pages show of standings: heads and money now, who newly slipped, over time, from where to where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Case, CharField, Count, F, FloatField, Q, Sum, Value, When
from django.db.models.expressions import Window
from django.db.models.functions import FirstValue, RowNumber

from crm.access import reach
from crm.audience import pacing, rhythm
from crm.models import Clock, RiskSettings, ShopRhythm, Standing, StandingDay, StandingMove, State

NEW, GONE = "new", "gone"


@dataclass(frozen=True)
class Heads:
    """So many people, and what they would spend in the coming year."""

    people: int = 0
    at_stake: Decimal = Decimal(0)

    def __add__(self, other: Heads) -> Heads:
        return Heads(self.people + other.people, self.at_stake + other.at_stake)


@dataclass(frozen=True)
class Row:
    """One state: by clock, in all, and what share of everybody."""

    state: State
    by_clock: Mapping[str, Heads]
    percent: int
    newly_today: Heads = field(default=Heads())
    newly_this_week: Heads = field(default=Heads())
    before: int | None = None

    @property
    def buyers(self) -> Heads:
        return self.by_clock[Clock.PURCHASE]

    @property
    def registered(self) -> Heads:
        return self.by_clock[Clock.ENGAGEMENT]

    @property
    def all(self) -> Heads:
        return self.buyers + self.registered

    @property
    def change(self) -> int | None:
        return None if self.before is None else self.all.people - self.before


def now_by_state(now: datetime, today: datetime) -> list[Row]:
    """Heads and money of every state as kept, how many came to it today and in seven days, and how many
    stood there thirty days ago.
    """
    counted = Standing.objects.order_by().values_list("state", "clock")
    found = {
        (state, by): Heads(people, money or Decimal(0))
        for state, by, people, money in counted.annotate(Count("pk"), Sum("at_stake"))
    }
    return _rows(found, today, _newly(today, now), _newly(now - timedelta(days=7), now))


def heads_by_state(today: datetime) -> list[Row]:
    """Heads alone, which an index tells: for a page that is looked at all day."""
    counted = Standing.objects.order_by().values_list("state", "clock").annotate(Count("pk"))
    return _rows({(state, by): Heads(people) for state, by, people in counted}, today, {}, {})


def _rows(
    found: Mapping[tuple[str, str], Heads],
    today: datetime,
    day: Mapping[str, Heads],
    week: Mapping[str, Heads],
) -> list[Row]:
    everybody = sum(heads.people for heads in found.values()) or 1
    earlier = _on(today.date() - timedelta(days=30))
    rows = []
    for state in State:
        by_clock = {clock: found.get((state.value, clock), Heads()) for clock in Clock.values}
        percent = round(100 * sum(heads.people for heads in by_clock.values()) / everybody)
        newly = day.get(state.value, Heads()), week.get(state.value, Heads())
        rows.append(Row(state, by_clock, percent, *newly, earlier.get(state.value, 0) if earlier else None))
    return rows


def over_time(first: date, last: date, clock: str = "") -> tuple[list[date], dict[str, list[int]]]:
    """The count of each state at the end of each day that was counted."""
    rows = StandingDay.objects.filter(
        on_day__gte=first, on_day__lte=last, **({"clock": clock} if clock else {})
    )
    found: dict[date, dict[str, int]] = defaultdict(dict)
    for day, state, people in rows.order_by("on_day").values_list("on_day", "state").annotate(Sum("people")):
        found[day][state] = people
    days = sorted(found)
    return days, {state: [found[day].get(state, 0) for day in days] for state in State.values}


def flow(since: datetime, now: datetime) -> dict[tuple[str, str], int]:
    """From where they stood then to where they stand now, how many people; also those who stayed."""
    moves = StandingMove.objects.filter(occurred_at__gt=since, occurred_at__lte=now)
    first = Window(
        FirstValue("from_state"), partition_by="contact_id", order_by=["recorded_at", "occurred_at"]
    )
    last = Window(RowNumber(), partition_by="contact_id", order_by=["-recorded_at", "-occurred_at"])
    ends = moves.annotate(came_from=first, place=last).filter(place=1).values_list("came_from", "to_state")
    moved: dict[tuple[str, str], int] = defaultdict(int)
    for came_from, to in ends.iterator():
        moved[came_from or NEW, to or GONE] += 1
    stands = dict(Standing.objects.order_by().values_list("state").annotate(Count("pk")))
    for state in State.values:
        arrived = sum(people for (_from, to), people in moved.items() if to == state)
        moved[state, state] += max(stands.get(state, 0) - arrived, 0)
    return {way: people for way, people in moved.items() if people}


def tried(risk: RiskSettings, now: datetime) -> list[tuple[State, int, int]]:
    """How many each state would hold by thresholds that are only typed, beside how many it holds."""
    used = rhythm.apply(_copy(rhythm.then(now)), risk)
    usual = F("usual_gap_days")
    once, own, quiet = Q(gaps=0, clock=Clock.PURCHASE), Q(clock=Clock.PURCHASE), Q(clock=Clock.ENGAGEMENT)

    def past(once_days: float, factor: float, quiet_days: int) -> Q:
        return (
            once & Q(silent__gte=once_days)
            | own & Q(gaps__gt=0, silent__gte=usual * Value(factor, output_field=FloatField()))
            | quiet & Q(silent__gte=quiet_days)
        )

    state = Case(
        When(past(used.once_lost_days, risk.lost_factor, risk.quiet_lost_days), then=Value("lost")),
        When(
            past(used.once_at_risk_days, risk.at_risk_factor, risk.quiet_at_risk_days), then=Value("at_risk")
        ),
        When(
            past(used.once_cooling_days, risk.cooling_factor, risk.quiet_cooling_days), then=Value("cooling")
        ),
        default=Value("active"),
        output_field=CharField(),
    )
    rows = Standing.objects.order_by().annotate(silent=pacing.silent("last_at", now), would=state)
    would = dict(rows.values_list("would").annotate(Count("pk")))
    holds = dict(rows.values_list("state").annotate(Count("pk")))
    return [(one, would.get(one.value, 0), holds.get(one.value, 0)) for one in State]


def newest(now: datetime, state: str, *, limit: int) -> Sequence[Standing]:
    """Who came to a state last."""
    rows = reach.seen(Standing.objects.filter(state=state, since__gt=now - timedelta(days=7)))
    rows = rows.select_related("contact")
    return list(rows.order_by("-at_stake", "-since")[:limit])


def _newly(since: datetime, now: datetime) -> dict[str, Heads]:
    rows = Standing.objects.filter(since__gt=since, since__lte=now).order_by()
    found: dict[str, Heads] = defaultdict(Heads)
    for state, people, money in rows.values_list("state").annotate(Count("pk"), Sum("at_stake")):
        found[state] = Heads(people, money)
    return found


def _on(day: date) -> dict[str, int]:
    rows = StandingDay.objects.filter(on_day=day).order_by()
    return dict(rows.values_list("state").annotate(Sum("people")))


def _copy(row: ShopRhythm) -> ShopRhythm:
    return ShopRhythm(
        **{field.attname: getattr(row, field.attname) for field in ShopRhythm._meta.concrete_fields}
    )
