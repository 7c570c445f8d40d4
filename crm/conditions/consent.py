"""Conditions about being allowed to write. The past is asked of the events themselves, and so exact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from crm.kernel.kinds import BrokenParams
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Channel, ConsentEvent, ConsentState, ContactPoint, Purpose, Suppression
from crm.people import permitted
from crm.people.consent import allowed_for
from crm.people.deriving import NOT_THE_PERSON, STOPS_ALL

GROUP = "Consent"
Action = ConsentEvent.Action
_WITHDRAWALS = (Action.WITHDRAWN, Action.OBJECTED)


def _purposes() -> list[tuple[str, str]]:
    return list(Purpose.objects.order_by("pk").values_list("key", "name"))


class ConsentParams(forms.Form):
    purpose = forms.ChoiceField(label="about", choices=_purposes)
    channel = forms.ChoiceField(label="by", choices=Channel.choices, initial=Channel.EMAIL)


class AboutAddresses(Condition):
    """What is true of an address: who records it stirs whoever has it, and time alone changes nothing."""

    group = GROUP

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        return []


def whose(points: QuerySet[ContactPoint], scope: Scope) -> Q:
    """People who have one of these addresses."""
    return Q(pk__in=scope.narrowed(points).values("contact_id"))


@conditions.register
class MayBeWrittenTo(AboutAddresses):
    """Whose address may be written to for a purpose: agreed to, not withdrawn, not suppressed."""

    key = "crm.consent"
    label = "May be written to"

    class Params(ConsentParams):
        pass

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        purpose, channel = _purpose(params["purpose"]), params["channel"]
        needs_consent = purpose.is_active and purpose.kind != Purpose.Kind.TRANSACTIONAL
        if scope.current and needs_consent and permitted.are_kept():
            return Q(engagement__may_receive__contains=[permitted.name_of(channel, purpose.pk)])
        points = ContactPoint.objects.filter(channel=channel, is_primary=True)
        if scope.current:
            return whose(points.filter(allowed_for("address_hash", "channel", purpose)), scope)
        points = points.filter(contact=OuterRef("pk"), created_at__lte=at)
        return Q(Exists(points.filter(_allowed(purpose, channel, at))))

    def sentence(self, params: dict[str, Any]) -> str:
        purpose = _purpose(params["purpose"])
        return f"may be written to by {Channel(params['channel']).label} about {purpose.name}"

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
        last = said.order_by("-occurred_at", "-position")
        return Subquery(last.annotate(told=JSONObject(action="action", at="occurred_at")).values("told")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "has never said anything"
        when = datetime.fromisoformat(value["at"])
        return f"last word: {Action(value['action']).label}, on {when.day} {when:%B %Y}"


_STATUSES = [
    (status, label) for status, label in ConsentState.Status.choices if status != ConsentState.Status.UNKNOWN
]


@conditions.register
class ConsentStands(AboutAddresses):
    """How an address stands for a purpose: waiting for its confirmation, granted, refused, withdrawn,
    expired, or nothing said yet. As it is now.
    """

    key = "crm.consent_status"
    label = "Consent stands at"
    exact_in_past = False

    class Params(ConsentParams):
        status = forms.ChoiceField(label="is", choices=[*_STATUSES, ("unknown", "nothing said yet")])

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        points = ContactPoint.objects.filter(channel=params["channel"], is_primary=True)
        states = self._states(params).exclude(status=ConsentState.Status.UNKNOWN)
        if params["status"] == ConsentState.Status.UNKNOWN:
            return whose(points.filter(~Exists(states)), scope)
        return whose(points.filter(Exists(states.filter(status=params["status"]))), scope)

    def sentence(self, params: dict[str, Any]) -> str:
        status = dict(self.Params.base_fields["status"].choices)[params["status"]]  # type: ignore[attr-defined]
        about = f"{_purpose(params['purpose']).name} by {Channel(params['channel']).label}"
        return f"stand at “{status}” for {about}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        points = ContactPoint.objects.filter(
            contact=OuterRef("pk"), channel=params["channel"], is_primary=True
        )
        state = self._states(params).annotate(told=JSONObject(status="status", since="since"))
        return Subquery(points.annotate(state=Subquery(state.values("told")[:1])).values("state")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value or value["status"] == ConsentState.Status.UNKNOWN:
            return "nothing said yet"
        since = datetime.fromisoformat(value["since"])
        return f"{ConsentState.Status(value['status']).label} since {since.day} {since:%B %Y}"

    def _states(self, params: dict[str, Any]) -> QuerySet[ConsentState]:
        purpose = _purpose(params["purpose"])
        return ConsentState.objects.filter(
            address_hash=OuterRef("address_hash"), channel=params["channel"], purpose=purpose
        )


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
