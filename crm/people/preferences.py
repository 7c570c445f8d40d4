"""What one address has agreed to, as the person sees it and changes it on their own page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BinaryField, Value

from crm.models import Channel, ConsentEvent, ConsentState, ContactPoint, Purpose, Suppression
from crm.people import pausing
from crm.people.consent import REASONS, Said, record, refusal_reason, withdraw
from crm.people.links import Mailed

_FOR_GOOD = (Suppression.Reason.COMPLAINED, Suppression.Reason.HARD_BOUNCE, Suppression.Reason.ERASED)


@dataclass(frozen=True)
class Choice:
    """One purpose with whether it is agreed to now."""

    key: str
    name: str
    description: str
    is_on: bool
    is_tracking: bool


@dataclass(frozen=True)
class Standing:
    """An address as its own page may show it. `never` says why no choice counts."""

    masked: str
    channel: str
    about: Purpose | None
    choices: list[Choice]
    never: str = ""


def standing(mailed: Mailed) -> Standing:
    """What the page of a link shows."""
    point = ContactPoint.objects.filter(address_hash=mailed.address_hash).first()
    channel = Channel(point.channel) if point else Channel.EMAIL
    why = refusal_reason(Value(mailed.address_hash, BinaryField()), Value(channel.value), "pk")
    offered = Purpose.objects.filter(is_active=True, channels__contains=[channel.value])
    rows = offered.exclude(kind=Purpose.Kind.TRANSACTIONAL).annotate(why=why).order_by("kind", "pk")
    choices = [
        Choice(row.key, row.name, row.description, row.why == "", row.kind == Purpose.Kind.TRACKING)
        for row in rows
    ]
    about = Purpose.objects.filter(pk=mailed.purpose_id).first()
    never = next((REASONS[row.why] for row in rows if row.why in _FOR_GOOD), "")
    return Standing(masked(point.address) if point else "", channel, about, choices, never)


def stop(mailed: Mailed, now: datetime, who: Mapping[str, Any], *, everything: bool = False) -> Standing:
    """The person wants no more of what the message was about, or of anything."""
    here = standing(mailed)
    key = None
    if not everything and here.about and here.about.kind != Purpose.Kind.TRANSACTIONAL:
        key = here.about.key
    withdraw(
        mailed.address_hash,
        here.channel,
        key,
        now,
        source_kind="preferences" if everything else "unsubscribe",
        source_ref=str(mailed.public_id),
        **who,
    )
    return here


def choose(mailed: Mailed, wanted: Collection[str], now: datetime, who: Mapping[str, Any]) -> Standing:
    """The person said what they want: what they took off is withdrawn, what they added is confirmed.

    Whoever holds a link of a message reads that mailbox, which is what a confirmation proves.
    """
    here = standing(mailed)
    words = []
    for choice in here.choices:
        if choice.is_on != (choice.key in wanted):
            words.append(
                Said(
                    mailed.address_hash,
                    here.channel,
                    choice.key,
                    ConsentEvent.Action.WITHDRAWN if choice.is_on else ConsentEvent.Action.CONFIRMED,
                    now,
                    "preferences",
                    source_ref=str(mailed.public_id),
                    wording="" if choice.is_on else f"{choice.name}: {choice.description}",
                    legal_basis="" if choice.is_on else "consent",
                    **who,
                )
            )
    if not words:
        return here
    record(words, now)
    return standing(mailed)


REST = timedelta(days=30)


def rests_until(mailed: Mailed, now: datetime) -> datetime | None:
    """Until when marketing rests for whoever has this address; nothing where it does not."""
    running = pausing.held_at(now, current=True).filter(contact_id__in=_owners(mailed))
    return running.values_list("until", flat=True).first()


def rest(mailed: Mailed, now: datetime) -> None:
    """The person wants a rest of thirty days. A longer pause, which a colleague began, stands."""
    for contact_id in _owners(mailed):
        until = now + REST
        running = pausing.held_at(now, current=True).filter(contact_id=contact_id, until__gte=until)
        if not running.exists():
            pausing.pause(contact_id, until, now)


def go_on(mailed: Mailed, now: datetime) -> None:
    """The person wants to hear of us again."""
    for contact_id in _owners(mailed):
        pausing.resume(contact_id, now)


def _owners(mailed: Mailed) -> list[Any]:
    points = ContactPoint.objects.filter(address_hash=mailed.address_hash)
    return list(points.values_list("contact_id", flat=True).distinct())


def agreement(mailed: Mailed) -> ConsentState | None:
    """When and with which words the address agreed to what the message was about."""
    states = ConsentState.objects.filter(
        address_hash=mailed.address_hash, purpose_id=mailed.purpose_id, may_send=True
    )
    return states.select_related("last_event__text").first()


def masked(address: str) -> str:
    """Enough of an address for its owner to know it, too little for anybody else."""
    name, at, domain = address.rpartition("@")
    if not at:
        return f"…{address[-3:]}"
    return f"{name[0]}…@{domain}"
