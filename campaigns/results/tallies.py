"""What each of several messages of a step did, counted in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from campaigns.models import Campaign, Delivery, Step, VariantPick
from campaigns.results.chances import Mean
from crm.models import ConsentEvent, Order
from crm.shop.settings import this_shop
from tracking.models import Actor, EventKind

type Key = tuple[str, str]

BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
NOTHING = Mean(0, 0, 0)

COUNTED = """
WITH asked AS (
    SELECT * FROM unnest(%(keys)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[])
        AS t(step_key, since, until)
),
got AS (
    SELECT DISTINCT ON (d.step_key, d.variant, d.contact_id)
        d.step_key, d.variant, d.contact_id, d.address_hash, COALESCE(d.finished_at, d.due_at) AS at
    FROM campaigns_delivery d
    JOIN asked ON asked.step_key = d.step_key AND d.created_at >= asked.since AND d.created_at < asked.until
    JOIN crm_contact c ON c.id = d.contact_id AND NOT c.is_test
    WHERE d.campaign_id = %(campaign)s AND d.origin = %(flow)s AND d.state = 'sent' AND d.variant <> ''
    ORDER BY d.step_key, d.variant, d.contact_id, COALESCE(d.finished_at, d.due_at)
),
clicks AS (
    SELECT d.step_key, d.variant, count(DISTINCT d.contact_id) AS clicked
    FROM campaigns_delivery d
    JOIN asked ON asked.step_key = d.step_key AND d.created_at >= asked.since AND d.created_at < asked.until
    WHERE d.campaign_id = %(campaign)s AND d.origin = %(flow)s AND d.state = 'sent' AND d.variant <> ''
        AND EXISTS (SELECT FROM tracking_event e
            WHERE e.ref = d.public_id AND e.kind = %(click)s AND e.actor = ANY(%(humans)s))
    GROUP BY 1, 2
),
done AS (
    SELECT got.*,
        bought.orders, COALESCE(bought.money, 0)::float8 AS money,
        COALESCE(bought.margin, 0)::float8 AS margin,
        COALESCE(bought.known, true) AS known,
        EXISTS (SELECT FROM crm_consentevent e WHERE e.address_hash = got.address_hash
            AND e.action = %(withdrawn)s AND e.source_kind = ANY(%(by_message)s)
            AND e.occurred_at >= got.at AND e.occurred_at < got.at + %(days)s) AS stopped,
        EXISTS (SELECT FROM crm_consentevent e WHERE e.address_hash = got.address_hash
            AND e.action = %(complained)s
            AND e.occurred_at >= got.at AND e.occurred_at < got.at + %(days)s) AS complained
    FROM got
    CROSS JOIN LATERAL (
        SELECT count(*) AS orders, sum(net.amount) AS money, sum(net.amount - cost.amount) AS margin,
            bool_and(cost.known) AS known
        FROM crm_order o
        CROSS JOIN LATERAL (SELECT GREATEST(o.total - o.tax - o.shipping - o.refunded, 0) AS amount) net
        CROSS JOIN LATERAL (
            SELECT COALESCE(sum(l.quantity * p.cost), 0) AS amount,
                COALESCE(bool_and(p.cost IS NOT NULL), false) AS known
            FROM crm_orderline l LEFT JOIN crm_product p ON p.id = l.product_id
            WHERE l.order_id = o.id AND l.contact_id = o.contact_id
        ) cost
        WHERE o.contact_id = got.contact_id AND o.status <> %(cancelled)s AND o.currency = %(currency)s
            AND o.occurred_at >= got.at AND o.occurred_at < got.at + %(days)s
    ) bought
)
SELECT done.step_key, done.variant, count(*), COALESCE(max(clicks.clicked), 0),
    count(*) FILTER (WHERE orders > 0), count(*) FILTER (WHERE stopped), count(*) FILTER (WHERE complained),
    sum(money), sum(money * money), sum(margin), sum(margin * margin), bool_and(known), min(at), max(at)
FROM done LEFT JOIN clicks ON clicks.step_key = done.step_key AND clicks.variant = done.variant
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """What one message did. `share` in percent; None where the newest version no longer has it. People are
    counted once each; money is net of tax, shipping and refunds.
    """

    label: str
    message: str = ""
    share: int | None = None
    people: int = 0
    clicked: int = 0
    bought: int = 0
    stopped: int = 0
    complained: int = 0
    money: Mean = NOTHING
    margin: Mean = NOTHING
    costs_known: bool = True
    first_at: datetime | None = None
    last_at: datetime | None = None
    chance: float | None = None
    is_winner: bool = False
    by_margin: bool = False

    @property
    def earned(self) -> Decimal:
        """A person, in the shop's currency."""
        return Decimal(str(round((self.margin if self.by_margin else self.money).mean, 2)))

    @property
    def clicked_percent(self) -> str:
        return _percent(self.clicked, self.people)

    @property
    def bought_percent(self) -> str:
        return _percent(self.bought, self.people)

    @property
    def chance_percent(self) -> str:
        if self.chance is None:
            return ""
        if self.chance > 0.99:
            return "over 99"
        return "under 1" if self.chance < 0.01 else f"{100 * self.chance:.0f}"


def tally(
    campaign: Campaign, steps: Sequence[Step], picks: Mapping[str, VariantPick], days: int
) -> dict[Key, Variant]:
    """Of the time in which all of a step's messages competed: until the winner was picked, or since it was
    taken back.
    """
    spans = [_span(picks.get(step.key)) for step in steps]
    asked: dict[str, Any] = {
        "keys": [step.key for step in steps],
        "since": [since for since, _ in spans],
        "until": [until for _, until in spans],
        "campaign": campaign.pk,
        "days": timedelta(days=days),
        "currency": this_shop().currency,
        "flow": Delivery.Origin.FLOW.value,
        "click": EventKind.CLICK.value,
        "humans": [Actor.HUMAN.value, Actor.LIKELY_HUMAN.value],
        "withdrawn": ConsentEvent.Action.WITHDRAWN.value,
        "complained": ConsentEvent.Action.COMPLAINED.value,
        "by_message": ["unsubscribe", "preferences"],
        "cancelled": Order.Status.CANCELLED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, asked)
        return {(row[0], row[1]): _variant(*row[1:]) for row in cursor.fetchall()}


def _span(pick: VariantPick | None) -> tuple[datetime, datetime]:
    if pick is None:
        return BEGINNING, END
    return (BEGINNING, pick.picked_at) if pick.label else (pick.picked_at, END)


def _variant(
    label: str,
    people: int,
    clicked: int,
    bought: int,
    stopped: int,
    complained: int,
    money: float,
    money_squares: float,
    margin: float,
    margin_squares: float,
    known: bool,
    first_at: datetime,
    last_at: datetime,
) -> Variant:
    return Variant(
        label=label,
        people=people,
        clicked=clicked,
        bought=bought,
        stopped=stopped,
        complained=complained,
        money=Mean(people, money, money_squares, bought),
        margin=Mean(people, margin, margin_squares, bought),
        costs_known=known,
        first_at=first_at,
        last_at=last_at,
    )


def _percent(number: int, of: int) -> str:
    return f"{100 * number / of:.1f}" if of else ""
