"""What the sample shop has planned, so that the calendar shows what it is for: three broadcasts, and how many
carts a day its running flow has to do with. The broadcasts are drafts: nothing of them is sent before
somebody launches it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from campaigns.flows.drafting import Message, Play, send
from campaigns.messages.pieces import HELLO, button, letter, recommended, text
from campaigns.models import Campaign, EntryDay, Sender
from crm.models import Segment
from crm.shop.settings import shop_zone
from tracking.shop import carts

WEEKS = 4
DELAY = timedelta(minutes=1)
BECAUSE = "You get our news because you asked for it, at most once a week."


@dataclass(frozen=True)
class Plan:
    """One broadcast: to whom, in how many days, and what it says. Without a segment to all who may get it."""

    name: str
    segment: str
    days: int
    subject: str
    words: str
    goods: str

    @property
    def message(self) -> Message:
        return Message(
            name=self.name,
            subject=self.subject,
            preheader="Picked for you.",
            blocks=letter(
                text(self.words, heading=HELLO),
                recommended("fresh", self.goods, 4),
                button("Look around"),
                because=BECAUSE,
            ),
        )


PLANS = (
    Plan(
        "New arrivals (sample shop)",
        "",
        4,
        "What came in this month",
        "here is what came in since our last letter.",
        "New, and picked for you",
    ),
    Plan(
        "Listening evening (sample shop)",
        "Good customers",
        11,
        "An evening with good records, for you",
        "you have been with us for a while. Come and listen before everybody else does.",
        "What we shall listen to",
    ),
    # On the day of the evening, to some of the same people: the calendar marks it.
    Plan(
        "Headphone week (sample shop)",
        "Headphones on their mind",
        11,
        "A week of headphones",
        "you looked at headphones. This week you can try all of them here, or at home.",
        "To try first",
    ),
)
NAMES = [plan.name for plan in PLANS]


def plan(sender: Sender, flow: Campaign, now: datetime) -> None:
    """Make the drafts, and tell of the flow how many came lately. The segments must be there."""
    for one in PLANS:
        _draft(one, sender, now)
    _pace(flow, now)


class _Planned(Play):
    """A letter on a date."""

    help = "The sample's own: planned, and a draft. Launch it to send it, or delete it."
    trigger = "campaigns.on_date"
    priority = 80
    reentry_days = 1


def _draft(plan: Plan, sender: Sender, now: datetime) -> Campaign:
    segment = Segment.objects.filter(name=plan.segment).first()
    day = (now.astimezone(shop_zone()) + timedelta(days=plan.days)).date()
    at = datetime.combine(day, time(10)).isoformat(timespec="minutes")
    params = {"segment": str(segment.pk) if segment else "", "at": at, "zone": "person"}
    steps = [send("first-message", plan.message)]
    return _Planned().make(now, flow=steps, name=plan.name, sender=sender, trigger_params=params)


def _pace(flow: Campaign, now: datetime) -> None:
    """As many as left carts in the last weeks: the flow began today, and has no days of its own yet."""
    today = now.astimezone(shop_zone()).date()
    since = now - timedelta(weeks=WEEKS)
    left = carts.left_then(DELAY, since, now).values_list("due_at", flat=True)
    by_day = Counter(at.astimezone(shop_zone()).date() for at in left)
    EntryDay.objects.bulk_create(
        EntryDay(campaign=flow, on_day=day, entered=number)
        for day, number in sorted(by_day.items())
        if day < today
    )
