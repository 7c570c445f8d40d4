"""The board: one column a stage, the highest scores first, twenty cards at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet, Sum
from django.http import QueryDict

from crm.access import reach
from crm.models import Lead, LeadDefinition, Stage
from crm.shop.showing import signed

FIRST = 20
NOBODY = "nobody"
REASONS_ON_CARD = 2


@dataclass(frozen=True)
class Asked:
    """Whose leads are shown: of one definition, of one owner, from one source."""

    definition: LeadDefinition | None
    owner: str = ""
    source: str = ""

    @property
    def query(self) -> str:
        """The same question as a query string."""
        asked = QueryDict(mutable=True)
        if self.definition is not None:
            asked["definition"] = str(self.definition.pk)
        asked.update({name: getattr(self, name) for name in ("owner", "source") if getattr(self, name)})
        return asked.urlencode()

    def rows(self) -> QuerySet[Lead]:
        """Everybody who is a lead now and is asked for, of those the reader gets to see."""
        now = reach.seen(Lead.objects.filter(definition=self.definition, ended_at=None))
        leads = of_owner(now, self.owner)
        return leads.filter(contact__source=self.source) if self.source else leads


@dataclass(frozen=True)
class Card:
    """One lead as its card says it."""

    lead: Lead
    reasons: Sequence[dict[str, Any]]
    worth: Decimal
    days: int
    too_long: bool

    @property
    def since(self) -> str:
        """How long they stand there, and that it is too long, in words."""
        stay = "since today" if not self.days else f"for {self.days} day{'s' * (self.days > 1)}"
        return f"{stay}, too long" if self.too_long else stay


@dataclass
class Column:
    """One stage with its first cards, and how many and how much there is in all."""

    stage: Stage | None
    cards: list[Card] = field(default_factory=list)
    more: str = ""
    people: int = 0
    worth: Decimal = Decimal(0)
    expected: Decimal = Decimal(0)

    @property
    def key(self) -> str:
        return str(self.stage.pk) if self.stage else NOBODY


def asked(data: QueryDict, definitions: Sequence[LeadDefinition]) -> Asked:
    """What a query string asks for; the first definition where it names none there is."""
    named = {str(one.pk): one for one in definitions}
    first = next((one for one in definitions if one.is_active), definitions[0] if definitions else None)
    source = data.get("source", "")
    return Asked(
        named.get(data.get("definition", ""), first), data.get("owner", ""), "" if "\0" in source else source
    )


def columns(asked: Asked, stages: Sequence[Stage], now: datetime, moved: Lead | None = None) -> list[Column]:
    """Every stage of the definition; people without a stage stand before them, where there are any."""
    totals: dict[UUID | None, Any] = {
        row["stage"]: row
        for row in asked.rows()
        .order_by()
        .values("stage")
        .annotate(people=Count("pk"), worth=Sum("contact__engagement__spent"), expected=Sum("expected_value"))
    }
    places: list[Stage | None] = [*([None] if None in totals else []), *stages]
    return [_column(asked, stage, totals, now, moved) for stage in places]


def _column(
    asked: Asked, stage: Stage | None, totals: dict[UUID | None, Any], now: datetime, moved: Lead | None
) -> Column:
    total = totals.get(stage.pk if stage else None)
    column = Column(stage)
    if total is None:
        return column
    column.people = total["people"]
    column.worth, column.expected = (total[name] or Decimal(0) for name in ("worth", "expected"))
    column.cards, column.more = cards(asked, stage, now)
    if moved is not None and stage is not None and moved.stage_id == stage.pk:
        # Whoever was moved just now is seen, however low their score.
        column.cards = [
            card(moved, stage, now),
            *(one for one in column.cards if one.lead.pk != moved.pk),
        ]
    return column


def cards(asked: Asked, stage: Stage | None, now: datetime, after: str = "") -> tuple[list[Card], str]:
    """Twenty cards of a stage after a place in it, and the place to go on from: blank at the end."""
    rows = asked.rows().filter(stage=stage).select_related("contact__engagement", "owner")
    if last := _place(after):
        rows = rows.filter(Q(score__lt=last[0]) | Q(score=last[0], pk__gt=last[1]))
    found = list(rows.order_by("-score", "id")[: FIRST + 1])
    shown = found[:FIRST]
    on = f"{shown[-1].score}~{shown[-1].pk}" if len(found) > FIRST else ""
    return [card(lead, stage, now) for lead in shown], on


def _place(typed: str) -> tuple[int, UUID] | None:
    score, _, pk = typed.partition("~")
    try:
        return int(score[:9]), UUID(pk)
    except ValueError:
        return None


def card(lead: Lead, stage: Stage | None, now: datetime) -> Card:
    days = max((now - lead.stage_since).days, 0)
    limit = stage.limit_days if stage else None
    too_long = limit is not None and days > limit
    return Card(lead, list(lead.reasons)[:REASONS_ON_CARD], worth(lead), days, too_long)


def worth(lead: Lead) -> Decimal:
    """What they spent so far."""
    engagement = getattr(lead.contact, "engagement", None)
    return engagement.spent if engagement else Decimal(0)


def told(reason: dict[str, Any]) -> str:
    """One reason of a score: "+10 was here this week"."""
    return f"{signed(reason.get('points', 0))} {reason.get('label', '')}"


def of_owner(leads: QuerySet[Lead], owner: str) -> QuerySet[Lead]:
    """Those of one colleague, or nobody's; anything else asks for all."""
    if owner == NOBODY:
        return leads.filter(owner=None)
    return leads.filter(owner_id=int(owner)) if owner.isdecimal() and len(owner) < 10 else leads


def colleagues() -> QuerySet[User]:
    """Whom a lead can be given to."""
    return User.objects.filter(is_active=True, is_staff=True).order_by("username")


def owners(definition: LeadDefinition | None) -> QuerySet[User]:
    """Colleagues who own at least one lead of it now."""
    held = Lead.objects.filter(definition=definition, ended_at=None).exclude(owner=None)
    return User.objects.filter(pk__in=held.values("owner")).order_by("username")
