"""Whom a broadcast goes to: a segment as it is now, or all who may be written to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from campaigns.models import Campaign
from crm.models import Channel, Engagement, Segment, SegmentMembership
from crm.people import permitted


@dataclass(frozen=True)
class Audience:
    """So many people, of a segment or of all who agreed to the purpose."""

    segment: Segment | None
    people: int

    @property
    def words(self) -> str:
        return str(self.segment) if self.segment else "all who may be written to"


def of(campaign: Campaign, segment: Segment | None) -> Audience:
    """Counted now; the segment will be another by then."""
    if segment is not None:
        return Audience(segment, _members(segment).count())
    may = permitted.name_of(Channel.EMAIL, campaign.purpose_id)
    return Audience(None, Engagement.objects.filter(may_receive__contains=[may]).count())


class Shared:
    """How many people belong to two audiences; each pair of segments is counted once."""

    def __init__(self) -> None:
        self._known: dict[frozenset[Any], int] = {}

    def by(self, one: Audience | None, other: Audience | None) -> int:
        if one is None or other is None:
            return 0
        if one.segment is None or other.segment is None or one.segment.pk == other.segment.pk:
            return min(one.people, other.people)
        pair = frozenset((one.segment.pk, other.segment.pk))
        if pair not in self._known:
            theirs = _members(other.segment).values("contact")
            self._known[pair] = _members(one.segment).filter(contact__in=theirs).count()
        return self._known[pair]


def _members(segment: Segment) -> Any:
    return SegmentMembership.objects.filter(segment=segment, left_at=None)
