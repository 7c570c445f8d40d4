"""The shop's frequency limits: what stands on their page, and whether one more message to a person fits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.timesince import timesince

from campaigns.models import Campaign, ChannelLimit, Delivery, DeliveryState, FrequencySettings
from crm.kernel import buckets
from crm.models import Purpose

# A message is looked for by when it was made, so that the index by person and time serves; it rarely waits
# longer than this before it leaves.
LONGEST_WAIT = timedelta(days=30)
PENDING = (DeliveryState.QUEUED, DeliveryState.CLAIMED)
LEFT = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
# What is on its way may yet be refused: whoever waits for it asks again.
ASK_AGAIN = timedelta(minutes=10)

_CONTROL_SALT = "shop-wide control group"


def frequency() -> FrequencySettings:
    """What holds for all campaigns together; a database that never had any gets the defaults."""
    return FrequencySettings.objects.filter(pk=1).first() or FrequencySettings()


def in_control_group(contact_id: UUID, percent: float) -> bool:
    """Whether this person is one of those whom no campaign writes to: the same people for ever, and all of
    them still when the group is made larger.
    """
    return buckets.arm(_CONTROL_SALT, contact_id, percent / 100) == "control"


def held_out_of_all(campaign: Campaign, settings: FrequencySettings) -> float:
    """How many percent of everybody this campaign leaves out for the shop-wide control group: none where it
    tells people what they asked for, which is never withheld to measure something.
    """
    asked_for = not campaign.in_caps or campaign.purpose.kind != Purpose.Kind.MARKETING
    return 0.0 if asked_for else float(settings.control_percent)


def of_all(channel: str) -> list[ChannelLimit]:
    """The limits of a channel that hold whatever a message is for, the shortest first."""
    return list(ChannelLimit.objects.filter(channel=channel, purpose=None).order_by("within", "id"))


@dataclass(frozen=True)
class Said:
    """A message to a person that counts: when it left, or nothing while it is on its way."""

    contact_id: UUID | None
    left_at: datetime | None
    leaves_at: datetime
    purpose_id: int
    enrolment_id: UUID | None
    campaign_id: int | None
    name: str


@dataclass(frozen=True)
class Full:
    """A limit that one more message would break: by which message, in words, how many count in it, and when
    it is free again.
    """

    limit: ChannelLimit
    by: Said
    free_at: datetime
    words: str
    used: int


def said_lately(
    contact_ids: Collection[UUID], channel: str, limits: Iterable[ChannelLimit], now: datetime
) -> list[Said]:
    """What these people were told by this channel that may still count, and what is on its way to them and
    not too late yet.
    """
    longest = max((limit.within for limit in limits), default=timedelta())
    rows = Delivery.objects.filter(
        contact_id__in=contact_ids,
        channel=channel,
        counts=True,
        created_at__gt=now - longest - LONGEST_WAIT,
        state__in=(*PENDING, *LEFT),
    ).exclude(state__in=PENDING, not_after__lte=now)
    return [
        Said(contact_id, left_at if state in LEFT else None, leaves_at, purpose, enrolment, campaign, name)
        for contact_id, state, left_at, leaves_at, purpose, enrolment, campaign, name in rows.values_list(
            "contact_id",
            "state",
            "fenced_at",
            "not_before",
            "purpose_id",
            "enrolment_id",
            "campaign_id",
            "campaign__name",
        )
    ]


def full(limits: Iterable[ChannelLimit], said: Sequence[Said], purpose_id: int, now: datetime) -> Full | None:
    """The limit that keeps this person's next message back the longest; nothing where it fits."""
    found = [one for limit in limits if (one := _full(limit, said, purpose_id, now))]
    return max(found, key=lambda one: one.free_at, default=None)


def _full(limit: ChannelLimit, said: Sequence[Said], purpose_id: int, now: datetime) -> Full | None:
    if limit.purpose_id not in (None, purpose_id):
        return None
    mine = [one for one in said if limit.purpose_id in (None, one.purpose_id)]
    waiting = [one for one in mine if one.left_at is None]
    left = sorted(
        ((one.left_at, one) for one in mine if one.left_at and one.left_at > now - limit.within),
        key=lambda pair: pair[0],
        reverse=True,
    )
    if len(waiting) + len(left) < limit.at_most:
        return None
    if len(waiting) >= limit.at_most:
        last = min(waiting, key=lambda one: one.leaves_at)
        words = f"“{last.name}” is on its way to them; {limit}"
        return Full(limit, last, max(now, last.leaves_at) + ASK_AGAIN, words, len(waiting) + len(left))
    at, _ = left[limit.at_most - len(waiting) - 1]
    newest_at, newest = left[0]
    words = f"Had “{newest.name}” {ago(newest_at, now)}; {limit}"
    return Full(limit, newest, at + limit.within, words, len(waiting) + len(left))


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in the largest unit: 3 hours ago."""
    if now - at < timedelta(minutes=1):
        return "just now"
    return f"{timesince(at, now, depth=1)} ago".replace("\xa0", " ")
