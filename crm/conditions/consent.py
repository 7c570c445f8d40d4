"""Conditions about being allowed to write. Asked of the events themselves, so that the past is exact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from crm.kernel.kinds import BrokenParams
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Channel, ConsentEvent, ContactPoint, Purpose, Suppression
from crm.people.deriving import NOT_THE_PERSON, STOPS_ALL

Action = ConsentEvent.Action
_WITHDRAWALS = (Action.WITHDRAWN, Action.OBJECTED)


def _purposes() -> list[tuple[str, str]]:
    return list(Purpose.objects.order_by("pk").values_list("key", "name"))


@conditions.register
class MayBeWrittenTo(Condition):
    """Whose address may be written to for a purpose: agreed to, not withdrawn, not suppressed."""

    key = "crm.consent"
    label = "May be written to"
    group = "Consent"

    class Params(forms.Form):
        purpose = forms.ChoiceField(label="about", choices=_purposes)
        channel = forms.ChoiceField(label="by", choices=Channel.choices, initial=Channel.EMAIL)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        purpose = _purpose(params["purpose"])
        points = ContactPoint.objects.filter(
            contact=OuterRef("pk"), channel=params["channel"], is_primary=True
        )
        return Q(Exists(points.filter(_allowed(purpose, params["channel"], at))))

    def sentence(self, params: dict[str, Any]) -> str:
        purpose = _purpose(params["purpose"])
        return f"may be written to by {Channel(params['channel']).label.lower()} about {purpose.name}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        purpose = _purpose(params["purpose"])
        points = ContactPoint.objects.filter(
            contact=OuterRef(OuterRef("pk")), channel=params["channel"], is_primary=True
        )
        said = ConsentEvent.objects.filter(
            Q(purpose=purpose) | Q(purpose=None),
            address_hash__in=points.values("address_hash"),
            channel=params["channel"],
            occurred_at__lte=at,
            recorded_at__lte=at,
        )
        return Subquery(said.order_by("-occurred_at", "-position").values("action")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"last word: {Action(value).label}" if value else "has never said anything"


def _purpose(key: str) -> Purpose:
    purpose = Purpose.objects.filter(key=key).first()
    if purpose is None:
        raise BrokenParams("purpose", "there is no such purpose (any more)")
    return purpose


def _allowed(purpose: Purpose, channel: str, at: datetime) -> Q:
    """Over contact points: whether the events known by then add up to a yes. Mirrors crm.people.deriving."""
    if not purpose.is_active:
        return Q(pk__in=[])
    heard = ConsentEvent.objects.filter(channel=channel, occurred_at__lte=at, recorded_at__lte=at)
    mine = heard.filter(address_hash=OuterRef("address_hash"))
    by_hand = Suppression.objects.filter(
        Q(purpose=purpose) | Q(purpose=None),
        address_hash=OuterRef("address_hash"),
        channel=channel,
        since__lte=at,
    ).exclude(source_event__address_hash=OuterRef("address_hash"))
    if purpose.kind == Purpose.Kind.TRANSACTIONAL:
        dead = Q(Exists(mine.filter(action__in=[Action.BOUNCED, Action.ERASED])))
        return ~dead & ~Q(Exists(by_hand.filter(purpose=None, reason__in=STOPS_ALL)))
    ended = Q(Exists(mine.filter(action__in=[Action.COMPLAINED, Action.ERASED, Action.BOUNCED])))
    return Q(Exists(_standing_grants(mine, purpose, channel, at))) & ~ended & ~Q(Exists(by_hand))


def _standing_grants(mine: QuerySet[ConsentEvent], purpose: Purpose, channel: str, at: datetime) -> Any:
    """Grants that nothing ended since and no withdrawal came before, but one the person took back."""
    own = Q(action=Action.CONFIRMED) & ~Q(source_kind__in=NOT_THE_PERSON)
    heard = ConsentEvent.objects.filter(channel=channel, occurred_at__lte=at, recorded_at__lte=at)
    same = heard.filter(address_hash=OuterRef("address_hash"))
    later = Q(occurred_at__gt=OuterRef("occurred_at")) | Q(
        occurred_at=OuterRef("occurred_at"), position__gt=OuterRef("position")
    )
    earlier = Q(occurred_at__lt=OuterRef("occurred_at")) | Q(
        occurred_at=OuterRef("occurred_at"), position__lt=OuterRef("position")
    )
    about = Q(purpose=purpose) | Q(purpose=None)
    ending = about & Q(action__in=[*_WITHDRAWALS, Action.REFUSED, Action.EXPIRED])
    # A withdrawal with no confirmation of the person's own between it and the grant blocks the grant.
    between = heard.filter(
        own,
        later,
        Q(occurred_at__lt=OuterRef(OuterRef("occurred_at")))
        | Q(occurred_at=OuterRef(OuterRef("occurred_at")), position__lte=OuterRef(OuterRef("position"))),
        address_hash=OuterRef("address_hash"),
        purpose=purpose,
    )
    blocking = same.filter(about, earlier, ~Exists(between), action__in=_WITHDRAWALS)
    grants = mine.filter(purpose=purpose, action__in=[Action.GRANTED, Action.CONFIRMED])
    return grants.filter(~Exists(same.filter(ending, later)), ~Exists(blocking))
