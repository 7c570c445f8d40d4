"""What is planned to go to whom in the coming weeks: broadcasts at their moments, flows by forecast.

A forecast and no promise: people inside walk through the waits still before them, new ones come at the pace
of the last four weeks, forks share them out evenly, and nobody buys, leaves or is held back. So every number
of a flow is *about* and *at most*.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from campaigns.flows import audiences
from campaigns.flows.audiences import Audience
from campaigns.flows.kinds import steps, triggers
from campaigns.models import Campaign, Enrolment, Step
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.shop.settings import shop_zone

WEEKS = 6
WEEK = timedelta(days=7)
PACE_DAYS = 28
# Shares of people thinner than this are not followed any further.
THINNEST = 0.01

INSIDE = """
SELECT d.campaign_id, e.version_id, e.step_position, e.path, date_trunc('hour', d.due_at), count(*)
FROM campaigns_due d
JOIN campaigns_enrolment e ON e.id = d.enrolment_id AND e.contact_id = d.contact_id
WHERE d.campaign_id = ANY(%(campaigns)s) AND d.problem = '' AND d.due_at < %(until)s
    AND e.arm = %(treated)s AND NOT e.is_test
GROUP BY 1, 2, 3, 4, 5
"""
# Days before the first one somebody came are no days it ran; today is not over.
PACE = """
SELECT campaign_id, sum(entered + brought)::float8 / (%(today)s - min(on_day))
FROM campaigns_entryday
WHERE campaign_id = ANY(%(campaigns)s) AND on_day < %(today)s AND on_day >= %(today)s - %(days)s
GROUP BY 1
"""


@dataclass
class Bar:
    """What one campaign sends on one day. `at` is the moment of a broadcast; without it a flow's forecast."""

    campaign: Campaign
    day: date
    messages: float = 0.0
    at: datetime | None = None
    audience: Audience | None = None
    conflicts: list[str] = field(default_factory=list)

    @property
    def is_draft(self) -> bool:
        return self.campaign.state == Campaign.State.DRAFT

    @property
    def number(self) -> int:
        """Rounded: exact where a segment was counted, else to two figures."""
        if self.messages < 1:
            return 1
        whole = round(self.messages)
        if self.at is not None:
            return whole
        scale = 10 ** max(len(str(whole)) - 2, 0)
        return round(whole / scale) * scale


@dataclass(frozen=True)
class Day:
    """One day of the calendar."""

    on: date
    bars: list[Bar]
    is_past: bool
    is_today: bool

    @property
    def messages(self) -> int:
        return sum(bar.number for bar in self.bars)


@dataclass(frozen=True)
class _Flow:
    """A campaign with its trigger read and the steps of its versions."""

    campaign: Campaign
    params: dict[str, Any]
    rows: dict[int, list[Step]]

    @property
    def is_planned(self) -> bool:
        return triggers.get(self.campaign.trigger).is_planned

    @property
    def entry(self) -> list[Step]:
        return self.rows.get(self.campaign.current_id or 0) or next(reversed(self.rows.values()), [])


def calendar(now: datetime, chosen: Sequence[Campaign], most_a_week: int | None) -> list[list[Day]]:
    """Six weeks from this week's Monday on, a list a week, conflicts marked; without a limit a week nothing
    is too much. A fixed number of queries, one more a broadcast and one a pair of segments.
    """
    zone = shop_zone()
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    until = datetime.combine(monday + WEEKS * WEEK, datetime.min.time(), tzinfo=zone)
    flows = _flows(chosen)
    bars = [*_broadcasts(flows, now, until, zone), *_forecasts(flows, now, until, zone)]
    _clash(bars)
    if most_a_week is not None:
        _crowd(bars, most_a_week)
        _dense(flows, bars, most_a_week, now)
    by_day: dict[date, list[Bar]] = defaultdict(list)
    for bar in bars:
        by_day[bar.day].append(bar)
    days = [monday + timedelta(days=number) for number in range(7 * WEEKS)]
    made = [
        Day(
            day,
            sorted(by_day[day], key=lambda bar: (bar.at is None, -bar.messages, bar.campaign.name)),
            day < today,
            day == today,
        )
        for day in days
    ]
    return [made[start : start + 7] for start in range(0, len(made), 7)]


def planned_campaigns() -> list[Campaign]:
    """Running ones that really send, and drafts: of those only broadcasts are shown, for they have a date."""
    found = Campaign.objects.filter(state__in=[Campaign.State.RUNNING, Campaign.State.DRAFT], is_shadow=False)
    return list(found.select_related("purpose").order_by("name"))


def segment_of(campaign: Campaign) -> Any:
    """The segment its trigger names; nothing where it names none or cannot be read."""
    try:
        return triggers.get(campaign.trigger).read(campaign.trigger_params).get("segment")
    except (UnknownKind, BrokenParams):
        return None


def sends(
    rows: Sequence[Step],
    at: datetime,
    *,
    position: int = 0,
    path: str = "",
    is_there: bool = False,
    share: float = 1.0,
) -> Iterator[tuple[datetime, float]]:
    """When somebody gets messages who comes to this place at `at` (or, if already there, is dealt with then):
    each with the share of people it is for.
    """
    for row in rows:
        if row.position < position or (row.path and row.path != path):
            continue
        try:
            kind = steps.get(row.kind)
            params = kind.read(row.params)
        except (UnknownKind, BrokenParams):
            return
        if not is_there:
            at = kind.leaves(params, at)
        is_there = False
        if kind.has_template:
            yield at, share
        if kind.ends and not row.only_if:
            return
        if names := kind.paths(params):
            ways = names if len(names) > 1 else [*names, path]
            if share / len(ways) >= THINNEST:
                for name in ways:
                    yield from sends(rows, at, position=row.position + 1, path=name, share=share / len(ways))
            return


def _flows(chosen: Sequence[Campaign]) -> list[_Flow]:
    rows: dict[int, dict[int, list[Step]]] = defaultdict(lambda: defaultdict(list))
    found = Step.objects.filter(version__campaign__in=[campaign.pk for campaign in chosen])
    for row in found.select_related("version").order_by("version__number", "position", "id"):
        rows[row.version.campaign_id][row.version_id].append(row)
    made = []
    for campaign in chosen:
        try:
            trigger = triggers.get(campaign.trigger)
            params = trigger.read(campaign.trigger_params)
        except (UnknownKind, BrokenParams):
            continue
        made.append(_Flow(campaign, params, dict(rows[campaign.pk])))
    return made


def _broadcasts(flows: Sequence[_Flow], now: datetime, until: datetime, zone: ZoneInfo) -> list[Bar]:
    bars: dict[tuple[int, date], Bar] = {}
    for flow in flows:
        moments = triggers.get(flow.campaign.trigger).planned(flow.params, now, until)
        if not moments:
            continue
        audience = audiences.of(flow.campaign, flow.params.get("segment"))
        treated = audience.people * (1 - float(flow.campaign.control_share))
        for moment in moments:
            for number, (at, share) in enumerate(sends(flow.entry, moment)):
                day = at.astimezone(zone).date()
                bar = bars.setdefault((flow.campaign.pk, day), Bar(flow.campaign, day, audience=audience))
                bar.messages += treated * share
                if number == 0 or bar.at is None:
                    bar.at = at
    return [bar for bar in bars.values() if bar.at and bar.at < until]


def _forecasts(flows: Sequence[_Flow], now: datetime, until: datetime, zone: ZoneInfo) -> list[Bar]:
    running = {flow.campaign.pk: flow for flow in flows if flow.campaign.state == Campaign.State.RUNNING}
    counted: dict[tuple[int, date], float] = defaultdict(float)
    today = now.astimezone(zone).date()
    asked: dict[str, Any] = {
        "campaigns": list(running),
        "until": until,
        "treated": Enrolment.Arm.TREATMENT.value,
        "today": today,
        "days": PACE_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(INSIDE, asked)
        inside = cursor.fetchall()
        cursor.execute(PACE, asked)
        pace = dict(cursor.fetchall())
    for campaign_id, version_id, position, path, due_at, people in inside:
        rows = running[campaign_id].rows.get(version_id, [])
        for at, share in sends(rows, max(due_at, now), position=position, path=path, is_there=True):
            counted[campaign_id, at.astimezone(zone).date()] += people * share
    for campaign_id, a_day in pace.items():
        flow = running[campaign_id]
        if flow.is_planned:
            continue
        a_day *= 1 - float(flow.campaign.control_share)
        offsets = [(at - now, share) for at, share in sends(flow.entry, now)]
        for number in range(7 * WEEKS):
            for offset, share in offsets:
                day = (now + timedelta(days=number) + offset).astimezone(zone).date()
                counted[campaign_id, day] += a_day * share
    last = until.astimezone(zone).date()
    return [
        Bar(running[key].campaign, day, messages)
        for (key, day), messages in counted.items()
        if messages >= 0.5 and day < last
    ]


def _clash(bars: Sequence[Bar]) -> None:
    """Two broadcasts on one day to people who get both."""
    shared = audiences.Shared()
    casts = [bar for bar in bars if bar.audience is not None]
    for one, other in combinations(casts, 2):
        if one.day != other.day or one.campaign.pk == other.campaign.pk:
            continue
        if people := shared.by(one.audience, other.audience):
            for bar, against in ((one, other), (other, one)):
                bar.conflicts.append(f"{people:,} people get “{against.campaign}” on this day, too.")


def _crowd(bars: Sequence[Bar], most_a_week: int) -> None:
    """More messages of broadcasts within seven days to the same people than the limit lets through."""
    shared = audiences.Shared()
    casts = [bar for bar in bars if bar.audience is not None and bar.campaign.in_caps]
    for bar in casts:
        week = [other for other in casts if timedelta(0) <= other.day - bar.day < WEEK]
        same = [other for other in week if shared.by(bar.audience, other.audience)]
        if len(same) > most_a_week:
            words = f"{len(same)} messages to the same people in the seven days from here: the limit is"
            bar.conflicts.append(f"{words} {most_a_week}.")


def _dense(flows: Sequence[_Flow], bars: Sequence[Bar], most_a_week: int, now: datetime) -> None:
    """Flows that alone write more often to one person than the limit lets through."""
    words = f"More than {most_a_week} messages to one person within seven days: some will be held back."
    for flow in flows:
        moments = [moment for moment, share in sends(flow.entry, now) if share == 1]
        if not flow.is_planned and flow.campaign.in_caps and _most_in_a_week(moments) > most_a_week:
            for bar in bars:
                if bar.campaign.pk == flow.campaign.pk:
                    bar.conflicts.append(words)


def _most_in_a_week(moments: Sequence[datetime]) -> int:
    return max((sum(start <= moment < start + WEEK for moment in moments) for start in moments), default=0)
