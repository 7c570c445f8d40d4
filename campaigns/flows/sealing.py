"""What stands in a campaign as a short text, the same for as long as nobody changed its flow, its messages or
whom it goes to. A fixed number of queries for any number of campaigns.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from campaigns.flows import editing, variants
from campaigns.models import Campaign, Step, Template
from crm.models import Segment

# All that says who gets what and when. Its name and description, and what a launch decides, are not in it.
FIELDS = (
    "purpose_id", "sender_id", "priority", "trigger", "trigger_params", "entry_rule", "exit_rule", "goal",
    "exit_on_purchase", "control_share", "reentry_days", "expires_after", "quiet_hours", "in_caps",
    "for_status_id", "when_beaten",
)  # fmt: skip
WORDS = ("subject", "preheader", "mjml", "text")
NAMING = ("trigger_params", "entry_rule", "exit_rule")
OFFER = ("kind", "value", "gift", "on", "category", "brand", "minimum", "may_beat_site")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A segment may name another one, and so on: looked into so deep.
DEEP = 5
_HALF = 32  # characters of a seal that are about what is said; as many more are about how many are listed


def seals(pks: Collection[int], *, in_use: bool = False) -> dict[int, str]:
    """The seal of each campaign, as it is stored now, by its key: of its newest version or the one in use."""
    sealed = {pk: _Sealed(campaign, []) for pk, campaign in Campaign.objects.in_bulk(list(pks)).items()}
    for pk, rows in _steps(pks, in_use=in_use).items():
        sealed[pk].rows.extend(rows)
    segments = _segments(set().union(*(one.named for one in sealed.values())))
    return {
        pk: _digest([one.said, _rules(one.named, segments)]) + _digest(_sizes(one.named, segments))
        for pk, one in sealed.items()
    }


def seal(campaign: Campaign, *, in_use: bool = False) -> str:
    """Of one campaign."""
    return seals([campaign.pk], in_use=in_use)[campaign.pk]


def say_the_same(one: str, other: str) -> bool:
    """Whether two seals are of the same words, rules and steps, whoever came onto a fixed list meanwhile."""
    return one[:_HALF] == other[:_HALF]


def made_of(campaign: Campaign) -> tuple[list[Template], list[Segment]]:
    """The messages it writes, and the segments it names, with those that these name."""
    one = _Sealed(campaign, _steps([campaign.pk])[campaign.pk])
    segments = _segments(one.named)
    return one.messages, [segments[pk] for pk in _all_named(one.named, segments)]


@dataclass(frozen=True)
class _Sealed:
    """A campaign with the steps of its newest version."""

    campaign: Campaign
    rows: list[Step]

    @property
    def said(self) -> list[Any]:
        return [[getattr(self.campaign, name) for name in FIELDS], [_step(row) for row in self.rows]]

    @property
    def named(self) -> set[str]:
        rules = [[row.params, row.only_if] for row in self.rows]
        return _named([getattr(self.campaign, name) for name in NAMING], rules)

    @property
    def messages(self) -> list[Template]:
        return [template for row in self.rows for _label, template in variants.messages_of(row)]


def _steps(pks: Collection[int], *, in_use: bool = False) -> defaultdict[int, list[Step]]:
    found = Step.objects.filter(version__campaign__in=pks)
    if in_use:
        found = found.filter(version=F("version__campaign__current"))
    rows = found.select_related("version", "template__current", "offer")
    rows = rows.prefetch_related("variants__template__current")
    newest: defaultdict[int, list[Step]] = defaultdict(list)
    for row in rows.order_by("version__number", "position", "id"):
        steps = newest[row.version.campaign_id]
        if steps and steps[-1].version_id != row.version_id:
            steps.clear()
        steps.append(row)
    return newest


def _step(row: Step) -> list[Any]:
    # A version that nobody got yet is written over: it is told by what it says.
    written = [
        [getattr(template.current, name) for name in WORDS] if template.current else []
        for _label, template in variants.messages_of(row)
    ]
    offer = [str(getattr(row.offer, name)) for name in OFFER] if row.offer else []
    return [row.key, editing.mark(row), written, offer]


def _segments(named: Iterable[str]) -> dict[str, Segment]:
    """By their id, with those that their rules name."""
    known: dict[str, Segment] = {}
    wanted = set(named)
    for _ in range(DEEP):
        if not wanted:
            break
        found = Segment.objects.in_bulk(list(wanted))
        known |= {str(pk): segment for pk, segment in found.items()}
        wanted = _named(*(segment.rule for segment in found.values())) - known.keys()
    return known


def _all_named(named: Iterable[str], rules: dict[str, Segment]) -> set[str]:
    seen: set[str] = set()
    wanted = [pk for pk in named if pk in rules]
    while wanted:
        pk = wanted.pop()
        if pk not in seen:
            seen.add(pk)
            wanted += [other for other in _named(rules[pk].rule) if other in rules]
    return seen


def _rules(named: Iterable[str], rules: dict[str, Segment]) -> list[list[Any]]:
    """What each says."""
    return [[pk, rules[pk].rule] for pk in sorted(_all_named(named, rules))]


def _sizes(named: Iterable[str], rules: dict[str, Segment]) -> list[list[Any]]:
    """How many are on each fixed list: people who are put onto it or taken off it change a campaign, too."""
    fixed = [pk for pk in _all_named(named, rules) if rules[pk].kind == Segment.Kind.FIXED]
    return [[pk, rules[pk].size] for pk in sorted(fixed)]


def _named(*documents: Any) -> set[str]:
    return set(UUID.findall(json.dumps(documents, default=str)))


def _digest(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:_HALF]
