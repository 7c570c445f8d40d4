"""The sample shop's segments and its meaning of a lead: something to look at, and to change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm.audience import segmentation
from crm.audience.leads import definitions
from crm.models import Lead, LeadDefinition, ScoreChange, ScoreLine, Segment, StageMove, StandingMove

LEAD_NAME = "Worth a call"
BY = "the sample shop"
WEEKS = 13


def _leaf(kind: str, **params: str) -> dict[str, Any]:
    return {"kind": kind, "params": params}


SEGMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "Headphones on their mind": (
        "Looked at headphones more than once lately and bought none.",
        {
            "all": [
                _leaf("tracking.did", event="product", times="2", category="Headphones", within_days="30"),
                {"none": [_leaf("crm.ordered", times="1", category="Headphones", within_days="365")]},
            ]
        },
    ),
    "Good customers": (
        "Bought often, and for good money.",
        {"all": [_leaf("crm.ordered", times="3"), _leaf("crm.spent", at_least="500")]},
    ),
    "At risk and may be written to": (
        "Silent for longer than they usually are, and we may tell them that we noticed.",
        {
            "all": [
                _leaf("crm.stands", state="at_risk"),
                _leaf("crm.consent", purpose="newsletter", channel="email"),
            ]
        },
    ),
    "Newly at risk": (
        "Became at risk in the last week: whom to win back first.",
        {"all": [_leaf("crm.newly_stands", state="at_risk", within_days="7")]},
    ),
}
_LOOKING = _leaf("tracking.did", event="product", times="3", within_days="30")
_CART = _leaf("tracking.cart_open", at_least="100")
_POINTS = [
    ("Looks at products", _leaf("tracking.did", event="product", times="2", within_days="7"), 20, 7),
    ("Has a good cart standing open", _CART, 30, None),
    ("Went to the checkout", _leaf("tracking.did", event="checkout", times="1", within_days="14"), 25, 14),
    ("Has bought before", _leaf("crm.ordered", times="1"), 15, None),
    ("Sent something back", _leaf("crm.order_undone", what="refunded", which="least", times="1"), -20, None),
]


def as_seen(now: datetime) -> None:
    """Whoever moved since yesterday did so before our eyes, so that forecasts have a yesterday to go by."""
    StandingMove.objects.filter(occurred_at__gt=now - timedelta(days=1)).update(is_backfill=False)


def meet(now: datetime) -> None:
    """Make the segments, with their last quarter recalled, and ask who is meant."""
    weeks = [now - timedelta(weeks=week) for week in range(WEEKS, 0, -1)]
    for name, (description, rule) in SEGMENTS.items():
        segment = Segment.objects.create(name=name, description=description, rule=rule, created_at=now)
        segmentation.recall(segment, weeks)
        segmentation.refresh(segment, now)


def define(now: datetime) -> LeadDefinition:
    """The meaning of a lead, published; nobody is asked yet whether they are one."""
    definition = definitions.new_definition(LEAD_NAME, now, BY)
    definition.description = "Looks around seriously: a call may help them to decide."
    definition.save(update_fields=["description"])
    draft = definitions.draft_of(definition, now)
    draft.is_lead = {"any": [_LOOKING, _CART]}
    draft.enter_nurturing = {"all": [_leaf("crm.consent", purpose="newsletter", channel="email")]}
    draft.sales_ready = {"all": [_leaf("crm.lead_score", definition=str(definition.pk), at_least="70")]}
    draft.save()
    ScoreLine.objects.bulk_create(
        ScoreLine(
            version=draft,
            label=label,
            rule={"all": [rule]},
            points=points,
            halves_days=halves,
            position=place * 10,
        )
        for place, (label, rule, points, halves) in enumerate(_POINTS, start=1)
    )
    definitions.publish(draft, now, BY)
    return definition


def forget() -> int:
    """Take all of it out again. What a user made from it under another name stays."""
    gone = Segment.objects.filter(name__in=SEGMENTS).delete()[0]
    found = LeadDefinition.objects.filter(name=LEAD_NAME)
    for model in (Lead, StageMove, ScoreChange):
        gone += model.objects.filter(definition__in=found).delete()[0]
    return gone + found.delete()[0]
