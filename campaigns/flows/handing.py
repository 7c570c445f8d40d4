"""People put into a flow by hand: by a colleague in the admin, or by the shop's server.

A hand does not overrule the campaign: its entry rule holds, and its re-entry time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from campaigns.flows import forward, journeys, watching
from campaigns.flows.entry import BrokenRule
from campaigns.flows.kinds import Entrant, triggers
from campaigns.flows.triggers.by_hand import ByHand
from campaigns.models import Campaign, Decision, Enrolment
from crm.kernel import rules
from crm.kernel.kinds import UnknownKind
from crm.kernel.work import in_batches
from crm.models import Contact
from crm.ticking import ring

MOST_AT_ONCE = 20_000
_BATCH = 1000

Outcome = Literal["entered", "inside", "too_soon", "kept_out", "unknown"]
_WORDS: dict[Outcome, tuple[str, str]] = {
    "inside": ("is in it already", "are in it already"),
    "too_soon": (
        "was in it lately: the re-entry time is not over",
        "were in it lately: the re-entry time is not over",
    ),
    "kept_out": ("is kept out by the entry rule", "are kept out by the entry rule"),
    "unknown": ("is not known (any more)", "are not known (any more)"),
}


class CannotPut(ValueError):
    """Nobody can be put into this campaign now; says why."""


@dataclass
class Put:
    """What became of each person."""

    outcomes: dict[UUID, Outcome] = field(default_factory=dict)

    @property
    def entered(self) -> int:
        return Counter(self.outcomes.values())["entered"]

    @property
    def words(self) -> str:
        """How many are in, and why the others are not."""
        counts = Counter(self.outcomes.values())
        said = [f"{counts['entered']:,} put in"]
        for outcome, (one, many) in _WORDS.items():
            if counts[outcome]:
                said.append(f"{counts[outcome]:,} {one if counts[outcome] == 1 else many}")
        return "; ".join(said) + "."


def takes(campaign: Campaign) -> bool:
    """Whether people are put into it by hand now."""
    return campaign.trigger == ByHand.key and campaign.state == Campaign.State.RUNNING


def open_campaigns() -> list[Campaign]:
    """Those that take people by hand now."""
    return list(
        Campaign.objects.filter(trigger=ByHand.key, state=Campaign.State.RUNNING).order_by("name", "pk")
    )


def put(
    campaign: Campaign,
    people: Iterable[UUID],
    now: datetime,
    *,
    by: str,
    entries: Mapping[UUID, str] | None = None,
) -> Put:
    """Put people in, a batch a transaction. `by` stands in each decision. `entries` are strings of the
    caller's own by which the same request told twice is one: who has that entry counts as entered.

    Raises CannotPut, and BrokenRule where the entry rule cannot be read.
    """
    whole = Put()
    for batch in in_batches(dict.fromkeys(people), _BATCH):
        with transaction.atomic():
            locked = Campaign.objects.select_for_update(no_key=True, of=("self",)).get(pk=campaign.pk)
            refuse(locked)
            whole.outcomes |= _put(locked, batch, now, by, entries or {})
    if whole.entered:
        ring("campaigns.advance")
    return whole


def refuse(campaign: Campaign) -> None:
    """Raises CannotPut where the campaign takes nobody."""
    if campaign.trigger != ByHand.key:
        try:
            label = triggers.get(campaign.trigger).label.lower()
        except UnknownKind:
            label = "another trigger"
        raise CannotPut(f"“{campaign}” lets people in by itself ({label}), not by hand.")
    if campaign.state != Campaign.State.RUNNING:
        raise CannotPut(f"“{campaign}” is {campaign.get_state_display()}: launch it first.")


def _put(
    campaign: Campaign, people: list[UUID], now: datetime, by: str, entries: Mapping[UUID, str]
) -> dict[UUID, Outcome]:
    known = dict(Contact.objects.filter(pk__in=people, merged_into=None).values_list("pk", "is_test"))
    may = _let_in(campaign, list(known), now)
    mine = Enrolment.objects.filter(campaign=campaign, contact__in=list(known))
    told = set(mine.filter(entry__in=list(entries.values())).values_list("contact_id", "entry"))
    lately = mine.filter(
        Q(state=Enrolment.State.ACTIVE) | Q(entered_at__gt=now - forward.reentry(campaign))
    ).order_by("contact_id", "entered_at")
    runs = dict(lately.values_list("contact_id", "state"))
    found: dict[UUID, Outcome] = {}
    new: list[Entrant] = []
    for person in people:
        entry = entries.get(person) or f"hand:{now.isoformat()}"
        if person not in known:
            found[person] = "unknown"
        elif (person, entry) in told:
            found[person] = "entered"
        elif person in runs:
            found[person] = "inside" if runs[person] == Enrolment.State.ACTIVE else "too_soon"
        elif person not in may:
            found[person] = "kept_out"
        else:
            found[person] = "entered"
            new.append(Entrant(person, entry, now, is_test=known[person], evidence={"by": by}))
    entered = journeys.enter(campaign, new, now) if new else []
    watching.note_brought(campaign, entered, now)
    # Who did it is the whole reason: it stands in the words, not only beside them.
    Decision.objects.filter(
        contact_id__in=[run.contact_id for run in entered],
        enrolment_id__in=[run.pk for run in entered],
        verdict=Decision.Verdict.ENTERED,
    ).update(words=f"Entered: put in by {by}."[:300], reason="by_hand")
    return found


def _let_in(campaign: Campaign, people: list[UUID], now: datetime) -> set[UUID]:
    if rules.is_blank(campaign.entry_rule):
        return set(people)
    scope = rules.Scope(current=True, among=people)
    if problems := rules.problems(campaign.entry_rule, scope.offers):
        raise BrokenRule(f"The entry rule cannot be read: {problems[0]}")
    asked = Contact.objects.filter(pk__in=people).filter(rules.compile(campaign.entry_rule, now, scope))
    return set(asked.values_list("pk", flat=True))
