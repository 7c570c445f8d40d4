"""How many reached the goal of a campaign, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Max, Q

from campaigns.models import Campaign, Enrolment
from crm.kernel import rules

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Reached:
    """The people of one group: who came in, and who reached the goal, within a day, a week, or later."""

    arm: str
    runs: int
    reached: int
    in_a_day: int
    in_a_week: int
    last_at: datetime | None

    @property
    def later(self) -> int:
        return self.reached - self.in_a_day - self.in_a_week

    @property
    def percent(self) -> str:
        return f"{100 * self.reached / self.runs:.1f}" if self.runs else ""


def reached(campaign: Campaign) -> list[Reached]:
    """The treated and those held out, in one query; nothing where the campaign has no goal of its own."""
    if rules.is_blank(campaign.goal):
        return []
    soon = Q(goal_at__lte=F("entered_at") + DAY)
    rows = (
        Enrolment.objects.filter(campaign=campaign, is_test=False)
        .order_by("-arm")
        .values("arm")
        .annotate(
            runs=Count("pk"),
            reached=Count("goal_at"),
            in_a_day=Count("goal_at", filter=soon),
            in_a_week=Count("goal_at", filter=~soon & Q(goal_at__lte=F("entered_at") + WEEK)),
            last_at=Max("goal_at"),
        )
    )
    words = {Enrolment.Arm.TREATMENT: "treated", Enrolment.Arm.CONTROL: "held out"}
    return [Reached(**row | {"arm": words[Enrolment.Arm(row["arm"])]}) for row in rows]
