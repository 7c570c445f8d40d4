"""What a campaign adds: orders and money of those it treats against those held out, with an interval.

Counted from the moment somebody qualified, whether or not anything was sent: what kept a message back (no
consent, a limit, an order) befalls both groups alike. An order belongs to the last run before it, once. A
person is one draw, however many runs they had.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt
from typing import Any

from django.db import connection

from campaigns.models import Campaign, Enrolment
from campaigns.results import chances, waiting
from campaigns.results.experiments import days_of
from crm.models import Order
from crm.shop.settings import this_shop

# plays.md: 20 to 23 % buying is what a good flow does.
WORTH = 0.15
FEWEST_RUNS, FEWEST_ORDERS = 50, 10
LATELY = timedelta(days=28)

COUNTED = """
WITH runs AS (
    SELECT contact_id, arm, qualified_at AS at,
        LEAST(qualified_at + %(days)s,
              lead(qualified_at) OVER (PARTITION BY contact_id ORDER BY qualified_at, id)) AS until
    FROM campaigns_enrolment WHERE campaign_id = %(campaign)s AND NOT is_test
),
people AS (
    SELECT runs.contact_id, runs.arm, count(*)::float8 AS runs,
        sum(bought.orders)::float8 AS orders, sum(bought.money)::float8 AS money,
        count(*) FILTER (WHERE runs.at >= %(lately)s) AS lately
    FROM runs
    CROSS JOIN LATERAL (
        SELECT count(*) AS orders,
            COALESCE(sum(GREATEST(o.total - o.tax - o.shipping - o.refunded, 0))
                FILTER (WHERE o.currency = %(currency)s), 0) AS money
        FROM crm_order o
        WHERE o.contact_id = runs.contact_id AND o.status <> %(cancelled)s
            AND o.occurred_at >= runs.at AND o.occurred_at < runs.until
    ) bought
    WHERE runs.at <= %(over)s
    GROUP BY 1, 2
)
SELECT arm, count(*), sum(runs), sum(runs * runs), sum(lately),
    sum(orders), sum(orders * orders), sum(orders * runs),
    sum(money), sum(money * money), sum(money * runs)
FROM people GROUP BY arm
"""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Something a run (orders, money): sums over people, each of whom may have had several runs."""

    people: int
    runs: float
    runs_squares: float
    total: float
    squares: float
    products: float

    @property
    def mean(self) -> float:
        return self.total / self.runs if self.runs else 0.0

    @property
    def variance(self) -> float:
        """Of the mean, between people: runs of one person are not drawn apart."""
        if self.people < 2:
            return 0.0
        mean = self.mean
        residuals = self.squares - 2 * mean * self.products + mean * mean * self.runs_squares
        return max(residuals, 0.0) * self.people / (self.people - 1) / self.runs**2


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the two groups."""

    orders: Ratio
    money: Ratio
    lately: int = 0

    @property
    def runs(self) -> int:
        return round(self.orders.runs)

    @property
    def bought(self) -> int:
        return round(self.orders.total)

    @property
    def bought_percent(self) -> str:
        return f"{100 * self.orders.mean:.1f}" if self.runs else ""

    @property
    def earned(self) -> Decimal:
        """A run, in the shop's currency."""
        return Decimal(str(round(self.money.mean, 2)))


@dataclass(frozen=True, slots=True)
class Extra:
    """What the treated did beyond what they would have done: with 95 % certainty between `low` and `high`."""

    amount: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        return self.low > 0 or self.high < 0

    @property
    def plus_minus(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Lift:
    """`kind`: *none* (nobody is held out), *early*, *open* (chance may explain it), *shown*."""

    kind: str
    words: str
    days: int
    treated: Arm
    held_out: Arm
    orders: Extra | None = None
    money: Extra | None = None


NOTHING = Ratio(0, 0, 0, 0, 0, 0)
NOBODY = Arm(NOTHING, NOTHING)


def lift(campaign: Campaign, now: datetime) -> Lift:
    """What it added so far, of the runs whose days are over; two queries."""
    days = days_of(campaign)
    arms = _counted(campaign, days, now)
    treated = arms.get(Enrolment.Arm.TREATMENT, NOBODY)
    held_out = arms.get(Enrolment.Arm.CONTROL, NOBODY)
    if not campaign.control_share and not held_out.runs:
        words = "Nobody is held out, so what it adds cannot be told. Give it a control group, such as 0.2."
        return Lift("none", words, days, treated, held_out)
    share = float(campaign.control_share) or held_out.runs / (held_out.runs + treated.runs)
    return judge(treated, held_out, share, days)


def judge(treated: Arm, held_out: Arm, share: float, days: int) -> Lift:
    """What these two groups say of each other."""
    runs = treated.runs + held_out.runs
    rate = (treated.bought + held_out.bought) / runs if runs else 0.0
    needed = chances.needed_with_control(rate, share, WORTH)
    more = None if needed is None else max(needed - runs, 0)
    a_week = (treated.lately + held_out.lately) / 4
    few_runs = min(held_out.runs, treated.runs) < FEWEST_RUNS
    if few_runs or treated.bought + held_out.bought < FEWEST_ORDERS:
        return Lift("early", waiting.not_enough(more or None, a_week), days, treated, held_out)
    orders = difference(treated.orders, held_out.orders)
    money = difference(treated.money, held_out.money)
    if orders.is_sure or money.is_sure:
        way = "fewer" if (orders.amount if orders.is_sure else money.amount) < 0 else "more"
        words = f"Those who were treated bought {way} than they would have."
        return Lift("shown", words, days, treated, held_out, orders, money)
    if more:
        words = f"{waiting.not_enough(more, a_week)} Until then chance alone may explain the difference."
        return Lift("early", words, days, treated, held_out, orders, money)
    words = "Chance can explain the difference, though there were enough people to see a good one."
    return Lift("open", words, days, treated, held_out, orders, money)


def difference(treated: Ratio, held_out: Ratio) -> Extra:
    """Extra of all runs that were treated."""
    amount = (treated.mean - held_out.mean) * treated.runs
    reach = chances.Z95 * sqrt(treated.variance + held_out.variance) * treated.runs
    return Extra(amount, amount - reach, amount + reach)


def _counted(campaign: Campaign, days: int, now: datetime) -> dict[str, Arm]:
    asked: dict[str, Any] = {
        "campaign": campaign.pk,
        "days": timedelta(days=days),
        "over": now - timedelta(days=days),
        "lately": now - timedelta(days=days) - LATELY,
        "currency": this_shop().currency,
        "cancelled": Order.Status.CANCELLED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, asked)
        return {
            arm: Arm(
                Ratio(people, runs, squares, orders, orders_squares, orders_runs),
                Ratio(people, runs, squares, money, money_squares, money_runs),
                int(lately),
            )
            for arm, people, runs, squares, lately, orders, orders_squares, orders_runs, money, money_squares,
            money_runs in cursor.fetchall()
        }  # fmt: skip
