"""What a flow is made of: triggers let people in, steps do something to a batch of them, playbooks make
campaigns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from campaigns.delivery.limits import frequency, held_out_of_all, in_control_group
from campaigns.models import Campaign, Decision, Delivery, Enrolment, FrequencySettings
from campaigns.models import Step as StepRow
from crm.kernel.kinds import Kind, Registry


@dataclass(frozen=True)
class Entrant:
    """Somebody who qualifies: since when, about what, and the string that makes this entry unique.

    `is_existing` marks whom the campaign begins with although they qualified before it was launched;
    `rounds` counts the flows that sent them on, this one among them. `at_step` is the key of the step they go
    on at who were here before; blank, or no longer there: the first.
    """

    contact_id: UUID
    entry: str
    qualified_at: datetime
    subject_kind: str = ""
    subject_id: UUID | None = None
    is_test: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict)
    is_existing: bool = False
    rounds: int = 1
    at_step: str = ""


@dataclass(frozen=True)
class Guarded:
    """What a message of this person's run rests upon; the fence tests it again.

    `since`, `cart_token` and `checkout_id` say which orders end it, `idle_for` how long the person must
    have done nothing, `subject_version` how fresh the subject was. `ended` names a reason why the subject
    is over already, and `words` says it to people.
    """

    since: datetime | None = None
    cart_token: str = ""
    checkout_id: str = ""
    idle_for: timedelta | None = None
    subject_version: datetime | None = None
    ended: str = ""
    words: str = ""


NOTHING_GUARDED = Guarded()


@dataclass(frozen=True)
class Missed:
    """A launch would come too late: for all, or for some; in words that say what to do."""

    words: str
    by_all: bool


class Trigger(Kind):
    """What lets people into a flow."""

    subject_kind = ""
    looks_at_people = False  # a state people are in, not a thing that happens: existing people can begin
    is_planned = False  # all at once, when a colleague said so: no usual day is a measure of it
    asks_reentry = True  # False: its days say how often somebody enters, whatever the re-entry time
    looks_back = timedelta(days=1)  # at least; what fell due before that lets nobody in any more
    is_recorded = False  # what it looks at is kept with its moment: it can be asked as of a past one
    lift_days = 14  # what it earns is counted so many days from the moment somebody qualified, sent or not

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        """Those who qualify at `now` and have no run for it yet, at most `limit`, the longest waiting first.

        The campaign's entry rule must be part of the question: whoever it keeps out must not fill the batch.

        Where `looks_at_people` is set it takes `existing` as well. With it, it names those who qualified
        before the launch and do so still, the most valuable or the longest waiting first; how many may come
        in, and when, is not its business.
        """
        raise NotImplementedError(f"{type(self).__name__} lets nobody in")

    def recalled(
        self, params: dict[str, Any], campaign: Campaign, since: datetime, until: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        """Those who qualified between two past instants, each with their moment, as far as what is kept says:
        only where `is_recorded`. Asked as often as it has to be to miss nobody.
        """
        tried = copy(campaign)
        # How late a message may be says nothing of who enters.
        tried.launched_at, tried.expires_after = since, 2 * (until - since)
        found: list[Entrant] = []
        while until > since:
            found += self.entrants(params, tried, until, limit=limit)
            until -= self.looks_back
        return found

    def guard_of(
        self, params: dict[str, Any], enrolments: Sequence[Enrolment], now: datetime
    ) -> dict[UUID, Guarded]:
        """What the messages of these runs rest upon, by enrolment, in a fixed number of queries. Where
        a trigger knows no better, any order since they qualified ends them.
        """
        return {enrolment.pk: Guarded(since=enrolment.qualified_at) for enrolment in enrolments}

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        """An entrant to try the flow with, whether or not the person qualifies; nothing where there is no
        subject.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot be tried")

    def sentence(self, params: dict[str, Any]) -> str:
        """What lets people in, in words."""
        return self.label

    def planned(self, params: dict[str, Any], since: datetime, until: datetime) -> Sequence[datetime]:
        """When it will let many in at once, where that is known: a broadcast, a repeating schedule."""
        return ()

    def missed(self, params: dict[str, Any], now: datetime) -> Missed | None:
        """Whom a launch at `now` comes too late for; nothing where it looks forward to everybody."""
        return None


@dataclass(frozen=True)
class Withheld:
    """Why a person gets nothing: the decision that stands for it."""

    verdict: str
    reason: str
    words: str


HELD_OUT = Withheld(Decision.Verdict.HELD_OUT, "control_group", "Held out to measure what it earns.")
HELD_OUT_OF_ALL = Withheld(
    Decision.Verdict.HELD_OUT,
    "shop_control_group",
    "Held out: in the shop-wide control group, which measures what all campaigns together earn.",
)
IN_SHADOW = Withheld(Decision.Verdict.SHADOW, "shadow", "In shadow: it would have happened now.")


@dataclass(frozen=True)
class Move:
    """What became of one person at a step: on to the next, made to wait here `until`, or out of the flow.

    Waits count from `Enrolment.arrived_at`, so that they may be asked again at any time.
    """

    to: Literal["next", "stay", "leave"]
    until: datetime | None = None
    reason: str = ""


ON = Move("next")


@dataclass
class Batch:
    """People who stand at one step and are due. Steps add what they decide; the engine writes it all at
    once.
    """

    campaign: Campaign
    step: StepRow
    params: dict[str, Any]
    people: Sequence[Enrolment]
    due: Mapping[UUID, datetime]
    guards: Mapping[UUID, Guarded]
    now: datetime
    decisions: list[Decision] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    def guard(self, person: Enrolment) -> Guarded:
        return self.guards.get(person.pk, NOTHING_GUARDED)

    def withheld(self, person: Enrolment) -> Withheld | None:
        """Why this person gets nothing of what a step does outside the flow: no message, no coupon, nothing
        told to others. They walk on all the same, so that what it earns can be told.
        """
        if not person.is_test and in_control_group(person.contact_id, self._held_out_of_all):
            return HELD_OUT_OF_ALL
        if person.arm == Enrolment.Arm.CONTROL:
            return HELD_OUT
        return IN_SHADOW if self.campaign.is_shadow and not person.is_test else None

    @cached_property
    def frequency(self) -> FrequencySettings:
        """What holds for all campaigns together."""
        return frequency()

    @cached_property
    def _held_out_of_all(self) -> float:
        return held_out_of_all(self.campaign, self.frequency)

    def withhold(self, person: Enrolment) -> bool:
        """Whether this person gets nothing, with the decision that says so written down."""
        found = self.withheld(person)
        if found is not None:
            self.decide(person, found.verdict, found.reason, found.words)
        return found is not None

    def decide(
        self, person: Enrolment, verdict: str, reason: str, words: str, evidence: dict[str, Any] | None = None
    ) -> None:
        """Note why somebody did or did not get something."""
        self.decisions.append(
            Decision(
                contact_id=person.contact_id,
                campaign=self.campaign,
                enrolment_id=person.pk,
                step_key=self.step.key,
                verdict=verdict,
                reason=reason,
                words=words,
                evidence=evidence or {},
                decided_at=self.now,
            )
        )


@dataclass(frozen=True)
class Listening:
    """A rule that is asked of those who wait at a step whenever it may have come true of them.

    `since` names the field of the run that *since entering* means in it.
    """

    rule: Any
    since: Literal["arrived_at", "entered_at"]


ASKED_FOR = "asked_for"
"""A parameter of steps that write: people asked for this message."""


class Step(Kind):
    """What happens to people at one place of a flow, a batch at a time."""

    icon = "circle"  # on its card in the picture: the name of a symbol of the theme
    has_template = False
    has_offer = False  # uses the offer of its row
    ends = False  # nobody gets past it
    channel = ""  # by which it writes to people; blank: it does not
    does = True  # something outside the flow: sends, changes, gives, tells. Waits and ways do nothing
    permission = ""  # what it takes to put one into a flow, besides changing campaigns; blank: nothing more
    aside: tuple[str, ...] = ()  # parameters that few fill in: their form sets them aside
    takes_care = ""  # why it takes that, for those who lack it

    def paths(self, params: dict[str, Any]) -> list[str]:
        """The paths it may put people on, from left to right; the steps for a path name it."""
        return []

    def due(self, params: dict[str, Any], at: datetime) -> datetime:
        """When somebody who arrives `at` is dealt with."""
        return at

    def leaves(self, params: dict[str, Any], at: datetime) -> datetime:
        """When somebody who arrives `at` goes on at the latest; forecasts ask."""
        return self.due(params, at)

    def listens_to(self, params: dict[str, Any]) -> Listening | None:
        """What moves those who wait here before their time is over; nothing where only time does."""
        return None

    def was_asked_for(self, params: Mapping[str, Any]) -> bool:
        """Whether people asked for what it writes, by its parameters as they are stored."""
        field = self.Params.base_fields.get(ASKED_FOR)
        return field is not None and bool(field.widget.value_from_datadict(params, {}, ASKED_FOR))

    def run(self, batch: Batch) -> dict[UUID, Move]:
        """Deal with everyone in the batch, in a fixed number of queries. Who is not named goes on."""
        raise NotImplementedError(f"{type(self).__name__} does nothing")

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        """The step in words, as on its card."""
        return self.label

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        """What keeps this step from working, in words."""
        if self.has_template and step.template_id is None:
            return ["Choose the message it sends."]
        return []


class Playbook(Kind):
    """A proven campaign that one click makes, ready to be read, changed and launched."""

    def make(self, now: datetime, **overrides: Any) -> Campaign:
        """A draft campaign with its steps and messages."""
        raise NotImplementedError(f"{type(self).__name__} makes nothing")


triggers: Registry[Trigger] = Registry(Trigger)
steps: Registry[Step] = Registry(Step)
playbooks: Registry[Playbook] = Registry(Playbook)
