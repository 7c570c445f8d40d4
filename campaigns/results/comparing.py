"""What each of several messages of a step did: sent, clicked, bought, money. Counts alone; what they prove is
not said here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, Subquery, Sum

from campaigns.flows import variants
from campaigns.models import Campaign, Delivery, DeliveryState, FlowVersion, OrderCredit, Step
from tracking.models import Event, EventKind

type Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One variant. `share` in percent; None where the newest version of the flow no longer has it."""

    label: str
    message: str
    share: int | None
    sent: int = 0
    clicked: int = 0
    bought: int = 0
    money: Decimal = Decimal(0)

    @property
    def clicked_percent(self) -> str:
        return f"{100 * self.clicked / self.sent:.1f}" if self.sent else ""

    @property
    def bought_percent(self) -> str:
        return f"{100 * self.bought / self.sent:.1f}" if self.sent else ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One step with its variants, those of the newest version first, then those that are gone."""

    words: str
    rows: list[Row]


def compared(campaign: Campaign, version: FlowVersion | None) -> list[Compared]:
    """Every step that compares messages, or once did; a fixed number of queries."""
    steps = list(version.steps.prefetch_related("variants__template")) if version else []
    counts = _counts(campaign)
    found = []
    for step in steps:
        now = variants.shares_of(step)
        labels = {row.label for row, _share in now}
        rows = [
            Row(
                row.label, str(row.template), share, *counts.get((step.key, row.label), (0, 0, 0, Decimal(0)))
            )
            for row, share in now
        ]
        rows += [
            Row(label, "", None, *counts[key, label])
            for key, label in sorted(counts)
            if key == step.key and label not in labels
        ]
        if rows:
            found.append(Compared(_words(step, rows), rows))
    return found


def _words(step: Step, rows: Iterable[Row]) -> str:
    return f"Step {step.position}: {' or '.join(row.label for row in rows)}"


def _counts(campaign: Campaign) -> dict[Key, tuple[int, int, int, Decimal]]:
    sent = Delivery.objects.filter(
        campaign=campaign, origin=Delivery.Origin.FLOW, state=DeliveryState.SENT
    ).exclude(variant="")
    clicks = Event.objects.filter(
        ref=OuterRef("public_id"), kind=EventKind.CLICK, actor__in=["human", "likely_human"]
    )
    first = {
        (row["step_key"], row["variant"]): (row["sent"], row["clicked"])
        for row in sent.annotate(was_clicked=Exists(clicks))
        .order_by()
        .values("step_key", "variant")
        .annotate(sent=Count("pk"), clicked=Count("contact_id", filter=Q(was_clicked=True), distinct=True))
    }
    if not first:
        return {}
    behind = sent.filter(pk=OuterRef("delivery_id"))
    then = {
        (row["step_key"], row["variant"]): (row["bought"], row["money"])
        for row in OrderCredit.objects.filter(campaign=campaign)
        .annotate(
            step_key=Subquery(behind.values("step_key")[:1]), variant=Subquery(behind.values("variant")[:1])
        )
        .exclude(variant=None)
        .order_by()
        .values("step_key", "variant")
        .annotate(bought=Count("contact_id", distinct=True), money=Sum("amount"))
    }
    return {key: (*first[key], *then.get(key, (0, Decimal(0)))) for key in first}
